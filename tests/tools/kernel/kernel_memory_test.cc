// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/kernel/kernel_memory.h"

#include <gtest/gtest.h>

namespace
{

using kmdump::CoreFile;
using kmdump::KernelMemory;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kMark = 0x1122334455667788;

/// What stands at `address` in an image of 4 KiB at physical 0x40001000, with kMark at 0x40001234.
std::optional<std::uint64_t> read(std::string_view vmcoreinfo, std::uint64_t address,
                                  std::uint16_t machine = 183)
{
    CoreMaker maker;
    maker.machine = machine;
    maker.memory = {{0x40001000, 0x40001000, kmdump_test::Bytes(4096)}};
    put(maker.memory[0].bytes, 0x234, kMark, 8);
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    EXPECT_TRUE(core) << core.error().what;
    return KernelMemory(core.value(), kmd::Vmcoreinfo(vmcoreinfo)).read_u64(address);
}

constexpr std::string_view k48 = "NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff800040000000\n"
                                 "NUMBER(PHYS_OFFSET)=0x40000000\n";

TEST(KernelMemory, PrefersVirtualAddressesOfTheImage)
{
    EXPECT_EQ(read("", 0x40001234), kMark);
}

TEST(KernelMemory, FollowsTheKernelImage)
{
    EXPECT_EQ(read(k48, 0xffff800080001234), kMark);
    EXPECT_FALSE(read(k48, 0xffff800080002234));
}

TEST(KernelMemory, FollowsTheLinearMap)
{
    EXPECT_EQ(read(k48, 0xffff000000001234), kMark);
    EXPECT_FALSE(read(k48, 0xffff000000000ffc)) << "half of the number is missing";
}

TEST(KernelMemory, FollowsTheLinearMapOfAKernelFor52BitsOnACpuWith48)
{
    // PHYS_OFFSET as such a kernel writes it: 0x40000000 - 2^52 + 2^48.
    const std::string_view info = "NUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
                                  "NUMBER(kimage_voffset)=0xffff800040000000\n"
                                  "NUMBER(PHYS_OFFSET)=0xfff1000040000000\n";
    EXPECT_EQ(read(info, 0xffff000000001234), kMark);
    EXPECT_EQ(read(info, 0xffff800080001234), kMark);
}

TEST(KernelMemory, FollowsTheLinearMapOf52Bits)
{
    const std::string_view info = "NUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n"
                                  "NUMBER(kimage_voffset)=0xffff800040000000\n"
                                  "NUMBER(PHYS_OFFSET)=0x40000000\n";
    EXPECT_EQ(read(info, 0xfff0000000001234), kMark);
    EXPECT_EQ(read(info, 0xffff800080001234), kMark);
}

TEST(KernelMemory, KnowsNoMappingsOfOtherMachines)
{
    EXPECT_FALSE(read(k48, 0xffff800080001234, 62));
}

TEST(KernelMemory, SurvivesImpossibleWidths)
{
    EXPECT_FALSE(read("NUMBER(VA_BITS)=64\nNUMBER(PHYS_OFFSET)=0\n", 0xffff000000001234));
    EXPECT_FALSE(read("NUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=200\nNUMBER(PHYS_OFFSET)=0\n", 1));
}

} // namespace
