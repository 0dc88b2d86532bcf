// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects translation on RISC-V: registers and tables are laid out here by hand, from the manual.
#include "hw/snapshot/riscv64_mmu.h"

#include "common/riscv64.h"
#include "fake_host.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <vector>

namespace
{

using namespace kmd;
using namespace kmd::test;

constexpr std::uint64_t kRam = 0x80000000;
constexpr std::uint64_t kRoot = kRam + 0x10000;
constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
constexpr std::uint64_t kPointer = 1;
constexpr std::uint64_t kReadOnly = 0b0011;
constexpr std::uint64_t kReadWrite = 0b0111;
/// Indices 510, 2 and 3 in Sv39.
constexpr std::uint64_t kPage = 0xffffffff80403000;

constexpr std::uint64_t entry(std::uint64_t phys, std::uint64_t flags)
{
    return phys >> 12 << 10 | flags;
}

class Riscv64 : public testing::Test
{
  protected:
    Riscv64()
    {
        host.guest.add_ram(kRam, 0x1000000);
        host.fields[{0, "env.satp"}] = kSv39 | std::uint64_t{0xbeef} << 44 | kRoot >> 12;
        host.fields[{0, "env.priv"}] = 1;
        put(kRoot, 510, entry(kRam + 0x11000, kPointer));
        put(kRam + 0x11000, 2, entry(kRam + 0x12000, kPointer));
        put(kRam + 0x12000, 3, entry(kRam + 0x700000, kReadWrite));
        put(kRam + 0x11000, 4, entry(kRam + 0x800000, kReadOnly));
    }

    void put(std::uint64_t table, std::uint64_t index, std::uint64_t value)
    {
        host.guest.put(table + index * 8, {reinterpret_cast<const char*>(&value), 8});
    }

    std::optional<std::uint64_t> translate(std::uint64_t virt)
    {
        const auto mmu = Riscv64Mmu::of_cpu(CpuState{}, host);
        return mmu ? mmu->translate(virt, host.guest) : std::nullopt;
    }

    FakeHost host;
};

TEST_F(Riscv64, TranslatesAPage)
{
    EXPECT_EQ(translate(kPage + 0xabc), kRam + 0x700abc);
    EXPECT_EQ(translate(kPage + 0x1000), std::nullopt);
}

TEST_F(Riscv64, TranslatesALargePage)
{
    EXPECT_EQ(translate(0xffffffff80800000 + 0x123456), kRam + 0x800000 + 0x123456);
}

TEST_F(Riscv64, RefusesAnAddressWhoseUpperBitsAreNotItsSign)
{
    EXPECT_EQ(translate(kPage & ~(std::uint64_t{1} << 45)), std::nullopt);
}

TEST_F(Riscv64, LeavesAddressesAloneWhileTheMmuIsOff)
{
    host.fields[{0, "env.satp"}] = 0;
    EXPECT_EQ(translate(0x80001234), 0x80001234u);
}

TEST_F(Riscv64, HasPhysicalAddressesAndThoseOfTheKernelInFirmware)
{
    host.fields[{0, "env.priv"}] = 3;
    EXPECT_EQ(translate(0x80001234), 0x80001234u);
    EXPECT_EQ(translate(kPage + 0xabc), kRam + 0x700abc);
}

TEST_F(Riscv64, KnowsNothingWithoutTheRegister)
{
    host.fields.clear();
    EXPECT_EQ(translate(kPage), std::nullopt);
}

TEST_F(Riscv64, ReadsTheKernelsTablesByVmcoreinfo)
{
    const Vmcoreinfo info("NUMBER(VA_BITS)=39\nNUMBER(PAGE_OFFSET)=0xffffffd600000000\n"
                          "NUMBER(phys_ram_base)=2147483648\nNUMBER(va_kernel_pa_offset)=0xfffffffeffff0000\n"
                          "SYMBOL(swapper_pg_dir)=ffffffff80000000\n");
    const KernelSpace space = kRiscv64.kernel_space(info, host.guest);
    ASSERT_TRUE(space.tables);
    EXPECT_EQ(space.tables->root(), kRoot);
    EXPECT_TRUE(space.translate(kPage, host.guest).writable);
    EXPECT_FALSE(space.translate(0xffffffff80800000, host.guest).writable);
    ASSERT_TRUE(space.linear_map);
    EXPECT_EQ(space.linear_map->distance, 0xffffffd600000000 - kRam);
}

TEST_F(Riscv64, KnowsItsKernelByWhereTheTablesOfAProcessLead)
{
    const std::string text =
        "NUMBER(VA_BITS)=39\nNUMBER(PAGE_OFFSET)=0xffffffd600000000\n"
        "NUMBER(phys_ram_base)=2147483648\nNUMBER(va_kernel_pa_offset)=0xfffffffeff403000\n";
    const Machine machine{.elf_machine = EM_RISCV};
    const auto kernel = PageTables::of_kernel(Vmcoreinfo(text + "SYMBOL(swapper_pg_dir)=ffffffff80403000\n"),
                                              machine, host.guest);
    ASSERT_TRUE(kernel);
    const auto uses = [&] { return Riscv64Mmu::of_cpu(CpuState{}, host)->uses(*kernel, host.guest); };
    EXPECT_EQ(uses(), false) << "the process maps another page there";
    put(kRam + 0x12000, 3, entry(kRam + 0x1000000, kReadWrite));
    EXPECT_EQ(uses(), true);
    host.fields[{0, "env.satp"}] = 0;
    EXPECT_EQ(uses(), std::nullopt);
}

struct Stack {
    std::map<std::uint64_t, std::uint64_t> words;
    ReadWord read = [this](std::uint64_t at) {
        const auto found = words.find(at);
        return found == words.end() ? std::nullopt : std::optional(found->second);
    };
};

constexpr std::uint64_t kFrame = 0xff20000000013000;

// As Linux 6.12 left it: the entry of an exception loads the interrupted stack pointer into s0.
TEST(Riscv64Frames, LeadThroughTheRegistersOfAnException)
{
    Stack stack;
    stack.words[kFrame - 16] = kFrame + 36 * 8;
    stack.words[kFrame - 8] = 0xffffffff80001000; // in handle_exception
    auto record = kRiscv64.read_frame_record(kFrame, stack.read);
    EXPECT_EQ(record.kind, FrameRecord::Kind::kCall);
    EXPECT_EQ(record.address, 0xffffffff80001000u);
    EXPECT_EQ(record.next, kFrame + 36 * 8);
    stack.words[kFrame] = 0xffffffff80002000;     // epc
    stack.words[kFrame + 8] = 0xffffffff80003000; // ra
    stack.words[kFrame + 16] = kFrame + 36 * 8;   // sp
    EXPECT_EQ(kRiscv64.read_frame_record(kFrame, stack.read).kind, FrameRecord::Kind::kUnknownRegisters);
    stack.words[kFrame + 64] = kFrame + 0x200; // s0
    record = kRiscv64.read_frame_record(kFrame, stack.read);
    EXPECT_EQ(record.kind, FrameRecord::Kind::kException);
    EXPECT_EQ(record.address, 0xffffffff80002000u);
    EXPECT_EQ(record.link, 0xffffffff80003000u);
    EXPECT_EQ(record.next, kFrame + 0x200);
    // It interrupted a leaf function.
    stack.words[kFrame + 0x200 - 8] = kFrame + 0x240;
    EXPECT_EQ(kRiscv64.read_frame_record(kFrame, stack.read).next, kFrame + 0x240);
}

TEST(Riscv64Frames, EndWhereTheKernelWasEntered)
{
    Stack stack;
    stack.words[kFrame - 16] = 0x3fffc000; // the stack pointer of a program
    stack.words[kFrame - 8] = 0xffffffff80001000;
    EXPECT_EQ(kRiscv64.read_frame_record(kFrame, stack.read).kind, FrameRecord::Kind::kEnd);
    stack.words[kFrame - 16] = 0xffffffff800492fa; // the function of a thread
    EXPECT_EQ(kRiscv64.read_frame_record(kFrame, stack.read).kind, FrameRecord::Kind::kEnd);
    EXPECT_EQ(kRiscv64.read_frame_record(kFrame + 0x1000, stack.read).kind, FrameRecord::Kind::kUnknown);
}

TEST(Riscv64Firmware, HasTheRegistersOfTheKernelThatCalledIt)
{
    constexpr std::uint64_t kTask = 0xff60000002690000;
    constexpr std::uint64_t kSp = 0x80046d78;
    constexpr std::uint64_t kSaved = 0x80046ee8;
    Stack stack;
    for (std::uint64_t at = kSp; at < 0x80047000; at += 8) {
        stack.words[at] = 0;
    }
    std::vector<std::byte> note(32 * 8);
    const auto set = [&](std::size_t index, std::uint64_t value) {
        std::memcpy(&note[8 * index], &value, 8);
    };
    set(0, 0x80002748);
    set(2, kSp);
    set(4, kTask);
    const CpuRegisters firmware = kRiscv64.decode_registers(note);
    EXPECT_FALSE(firmware.in_kernel);
    EXPECT_TRUE(firmware.in_firmware);
    EXPECT_FALSE(kRiscv64.below_firmware(firmware, stack.read));
    stack.words[kSaved + 8 * 2] = 0xff20000000013c00;
    stack.words[kSaved + 8 * 4] = kTask;
    stack.words[kSaved + 8 * 8] = kFrame;
    stack.words[kSaved + 8 * 32] = 0xffffffff80005000;
    const auto kernel = kRiscv64.below_firmware(firmware, stack.read);
    ASSERT_TRUE(kernel);
    EXPECT_TRUE(kernel->in_kernel);
    EXPECT_EQ(kernel->pc, 0xffffffff80005000u);
    EXPECT_EQ(kernel->sp, 0xff20000000013c00u);
    EXPECT_EQ(kernel->frame_pointer, kFrame);
    stack.words[kSaved + 8 * 4] = kTask + 8;
    EXPECT_FALSE(kRiscv64.below_firmware(firmware, stack.read)) << "another task's";
    set(4, kTask);
    set(1, 0xffffffff80006000);
    set(2, kFrame);
    const auto entered = kRiscv64.below_firmware(kRiscv64.decode_registers(note), stack.read);
    ASSERT_TRUE(entered) << "with the kernel's stack";
    EXPECT_EQ(entered->pc, 0xffffffff80006000u);
    EXPECT_EQ(entered->sp, kFrame);
    set(2, kSp);
    set(4, 0x80047000);
    const CpuRegisters halted = kRiscv64.decode_registers(note);
    EXPECT_TRUE(halted.in_firmware);
    EXPECT_FALSE(kRiscv64.below_firmware(halted, stack.read));
    set(2, 0x3fffffe000);
    EXPECT_FALSE(kRiscv64.decode_registers(note).in_firmware) << "a program";
    EXPECT_FALSE(kRiscv64.decode_registers(std::vector<std::byte>(32 * 8)).in_firmware) << "no registers";
}

TEST(Riscv64Firmware, HasItsStackSearchedForABoundedTime)
{
    std::vector<std::byte> note(32 * 8);
    const auto set = [&](std::size_t index, std::uint64_t value) {
        std::memcpy(&note[8 * index], &value, 8);
    };
    set(0, 0x80002748);
    set(2, 0x80040000);
    set(4, 0xff60000002690000);
    unsigned reads = 0;
    const ReadWord zeros = [&](std::uint64_t) {
        ++reads;
        return std::optional<std::uint64_t>(0);
    };
    EXPECT_FALSE(kRiscv64.below_firmware(kRiscv64.decode_registers(note), zeros));
    EXPECT_EQ(reads, 1024u);
}

} // namespace
