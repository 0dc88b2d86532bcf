// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what a dump has to unwind stacks without frame records: an x86-64 kernel of the test's own, with
// the few symbols that matter here.
#include "common/x86_64.h"
#include "cpu_time.h"
#include "fake_guest.h"
#include "hw/linux/linux_guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace
{

using namespace kmd;

/// The image is mapped in large pages from here on, at physical address 0.
constexpr std::uint64_t kImage = 0xffffffff80000000;
constexpr std::uint64_t kText = kImage + 0x1000000;
constexpr std::uint64_t kTextBytes = 16 << 20;
constexpr std::uint64_t kStack = kImage + 0x3000000;
constexpr std::uint64_t kAddresses = kImage + 0x4000000;
constexpr std::uint64_t kEntries = kImage + 0x5000000;
constexpr std::uint64_t kLookup = kImage + 0x6000000;
constexpr std::uint64_t kKallsyms = kImage + 0x100000;
constexpr std::uint64_t kPage = 0x1000;

class Unwinding : public testing::Test
{
  protected:
    Unwinding()
    {
        guest.add_ram(0, 0x8000000);
        put64(0x10000 + 511 * 8, 0x11000 | 3);
        put64(0x11000 + 510 * 8, 0x12000 | 3);
        for (std::uint64_t i = 0; i < 64; ++i) {
            put64(0x12000 + i * 8, i << 21 | 0x83);
        }
        const std::map<std::string, std::uint64_t> symbols = {{"a_stext", kText},
                                                              {"b_etext", kText + kTextBytes},
                                                              {"c__start_orc_unwind_ip", kAddresses},
                                                              {"d__start_orc_unwind", kEntries},
                                                              {"eorc_lookup", kLookup}};
        std::uint64_t name = kKallsyms;
        std::uint64_t offset = kKallsyms + 0x1000;
        for (const auto& [typed, address] : symbols) {
            put(name++, static_cast<std::uint8_t>(typed.size()), 1);
            for (const char letter : typed) {
                put(name++, static_cast<std::uint8_t>(letter), 1);
            }
            put(offset, address - kImage, 4);
            offset += 4;
        }
        put(kKallsyms + 0x2000, symbols.size(), 4);
        put(kKallsyms + 0x2008, kImage, 8);
        for (unsigned i = 0; i < 256; ++i) {
            put(kKallsyms + 0x3000 + 2 * i, 2 * i, 2);
            put(kKallsyms + 0x4000 + 2 * i, i, 2);
        }
    }

    void put64(std::uint64_t phys, std::uint64_t value)
    {
        guest.put(phys, {reinterpret_cast<const char*>(&value), 8});
    }

    void put(std::uint64_t virt, std::uint64_t value, std::size_t size)
    {
        guest.put(virt - kImage, {reinterpret_cast<const char*>(&value), size});
    }

    LinuxKernel kernel()
    {
        std::string text = "OSRELEASE=6.12\nNUMBER(phys_base)=0\nSYMBOL(init_top_pgt)=ffffffff80010000\n";
        const std::pair<const char*, std::uint64_t> tables[] = {{"names", 0},
                                                                {"offsets", 0x1000},
                                                                {"num_syms", 0x2000},
                                                                {"relative_base", 0x2008},
                                                                {"token_index", 0x3000},
                                                                {"token_table", 0x4000}};
        for (const auto& [table, at] : tables) {
            char line[80];
            std::snprintf(line, sizeof(line), "SYMBOL(kallsyms_%s)=%llx\n", table,
                          static_cast<unsigned long long>(kKallsyms + at));
            text += line;
        }
        const LiveKernelMemory memory(kX86_64, Vmcoreinfo(text), guest);
        return LinuxKernel::read(text, kX86_64, memory);
    }

    static bool has(const KernelPart& part, std::uint64_t virt)
    {
        return std::ranges::any_of(part.regions, [&](const Region& region) {
            return virt >= region.virt && virt - region.virt < region.size;
        });
    }

    static std::uint64_t bytes_of(const KernelPart& part)
    {
        std::uint64_t bytes = 0;
        for (const Region& region : part.regions) {
            bytes += region.size;
        }
        return bytes;
    }

    test::FakeGuest guest;
};

TEST_F(Unwinding, HasTheCodeAndTheEntriesOfEachReturnAddress)
{
    // Code block 0x1234 begins in entry 0x30000, the next one in 0x30010.
    put(kLookup + 4 * 0x1234, 0x30000, 4);
    put(kLookup + 4 * 0x1235, 0x30010, 4);
    put(kStack + 0x2008, kText + 0x123410, 8);
    put(kStack + 0x1008, kText + 0x500000, 8); // below what is in use
    put(kStack + 0x2010, kText + kTextBytes + 8, 8);
    const AddressRange stack{kStack + 0x2000, kStack + 0x3fff};
    const KernelPart part = read_unwinding(kernel(), std::span(&stack, 1), {}, guest);
    EXPECT_TRUE(has(part, kText + 0x123410));
    EXPECT_TRUE(has(part, kText + 0x122c10)) << "where its function may begin";
    EXPECT_TRUE(has(part, kLookup + 4 * 0x1234));
    EXPECT_TRUE(has(part, kAddresses + 4 * 0x30010));
    EXPECT_TRUE(has(part, kEntries + 6 * 0x30010));
    EXPECT_FALSE(has(part, kText + 0x500000));
    EXPECT_LE(bytes_of(part), 7 * kPage);
    EXPECT_TRUE(part.missing.empty());
}

TEST_F(Unwinding, HasTheCodeThatTheCpusExecute)
{
    const std::uint64_t code = kText + 0x700001;
    EXPECT_TRUE(has(read_unwinding(kernel(), {}, std::span(&code, 1), guest), code));
}

/// Stacks full of addresses that have nothing in common, with as many entries for each as are believed.
TEST_F(Unwinding, IsBoundedAndSaysSo)
{
    for (std::uint64_t block = 0; block <= kTextBytes >> 8; ++block) {
        put(kLookup + 4 * block, block * 16, 4);
    }
    std::vector<AddressRange> stacks;
    for (std::uint64_t i = 0; i < 64; ++i) {
        const std::uint64_t stack = kStack + i * 0x4000;
        for (std::uint64_t at = 0; at < 0x4000; at += 8) {
            put(stack + at, kText + 1 + (i * 0x4000 + at) * 0x9e3779b1 % kTextBytes, 8);
        }
        for (int again = 0; again < 200; ++again) {
            stacks.push_back({stack, stack + 0x3fff});
        }
    }
    const LinuxKernel read = kernel();
    const double before = test::cpu_seconds();
    const KernelPart part = read_unwinding(read, stacks, {}, guest);
    const double seconds = test::cpu_seconds() - before;
    std::cout << "figures: " << seconds << " s of CPU, " << bytes_of(part) << " bytes\n";
    EXPECT_LE(bytes_of(part), 2048 * kPage);
    EXPECT_FALSE(part.missing.empty());
    EXPECT_LT(seconds, 0.5);
}

} // namespace
