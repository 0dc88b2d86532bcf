// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects translation on x86-64: registers and tables are laid out here by hand, from the manual.
#include "hw/snapshot/x86_64_mmu.h"

#include "common/x86_64.h"
#include "fake_host.h"
#include "hw/snapshot/stacks.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <vector>

namespace
{

using namespace kmd;
using namespace kmd::test;

constexpr std::uint64_t kRoot = 0x1010000;
constexpr std::uint64_t kImage = 0x1000000; // __START_KERNEL_map is there, so phys_base is it
constexpr std::uint64_t kPresent = 1;
constexpr std::uint64_t kWrite = 2;
constexpr std::uint64_t kLarge = 0x80;
constexpr std::uint64_t kNoExecute = std::uint64_t{1} << 63;
/// Indices 511, 510, 0 and 16 in four levels: the place of the root in the image.
constexpr std::uint64_t kRootInImage = 0xffffffff80010000;
/// Index 300, then 5, in four levels: where the linear map begins at random.
constexpr std::uint64_t kLinearMap = 0xffff960140000000;

class X86_64 : public testing::Test
{
  protected:
    X86_64()
    {
        host.guest.add_ram(0, 0x8000000);
        host.fields[{0, "env.cr[0]"}] = 0x80050033;
        host.fields[{0, "env.cr[3]"}] = kRoot;
        host.fields[{0, "env.cr[4]"}] = 0x6f0;
        host.fields[{0, "env.efer"}] = 0xd01;
        put_tables(kRoot, 4);
    }

    /// Tables that map the image in pages, 2 MiB of it at once for reading only, and the first GiB linearly.
    void put_tables(std::uint64_t root, unsigned levels)
    {
        const std::uint64_t upper = root;
        if (levels == 5) {
            root += 0x8000;
            put(upper, 511, root | kPresent | kWrite);
            put(upper, 300, 0x2005000 | kPresent | kWrite);
            put(0x2005000, 44, 0x2003000 | kPresent | kWrite);
        } else {
            put(root, 300, 0x2003000 | kPresent | kWrite);
        }
        put(root, 511, 0x2000000 | kPresent | kWrite);
        put(0x2000000, 510, 0x2001000 | kPresent | kWrite);
        put(0x2001000, 0, 0x2002000 | kPresent | kWrite);
        put(0x2002000, 16, kRoot | kPresent | kWrite | kNoExecute);
        put(0x2001000, 1, 0x1200000 | kPresent | kLarge);
        put(0x2003000, 5, 0x2004000 | kPresent | kWrite);
        for (std::uint64_t i = 0; i < 64; ++i) {
            put(0x2004000, i, i << 21 | kPresent | kWrite | kLarge | kNoExecute);
        }
    }

    void put(std::uint64_t table, std::uint64_t index, std::uint64_t value)
    {
        host.guest.put(table + index * 8, {reinterpret_cast<const char*>(&value), 8});
    }

    std::optional<std::uint64_t> translate(std::uint64_t virt)
    {
        const auto mmu = X86_64Mmu::of_cpu(CpuState{}, host);
        return mmu ? mmu->translate(virt, host.guest) : std::nullopt;
    }

    static std::string vmcoreinfo(const std::string& more = "")
    {
        return "OSRELEASE=6\nNUMBER(phys_base)=16777216\nSYMBOL(init_top_pgt)=ffffffff80010000\n" + more;
    }

    KernelSpace space(const std::string& text) { return kX86_64.kernel_space(Vmcoreinfo(text), host.guest); }

    FakeHost host;
};

TEST_F(X86_64, TranslatesPagesOfAllSizes)
{
    EXPECT_EQ(translate(kRootInImage + 0xabc), kRoot + 0xabc);
    EXPECT_EQ(translate(kRootInImage + 0x1000), std::nullopt);
    EXPECT_EQ(translate(0xffffffff80200000 + 0x123456), 0x1200000u + 0x123456);
    put(0x2000000, 511, std::uint64_t{3} << 30 | kPresent | kLarge);
    EXPECT_EQ(translate(0xffffffffc0000000 + 0x12345678), (std::uint64_t{3} << 30) + 0x12345678);
}

TEST_F(X86_64, TranslatesWithFiveLevels)
{
    put_tables(kRoot, 5);
    host.fields[{0, "env.cr[4]"}] = 0x16f0;
    EXPECT_EQ(translate(kRootInImage + 0xabc), kRoot + 0xabc);
    EXPECT_EQ(translate(kLinearMap), std::nullopt) << "an address of four levels";
}

TEST_F(X86_64, RefusesAnAddressWhoseUpperBitsAreNotItsSign)
{
    EXPECT_EQ(translate(kRootInImage & ~(std::uint64_t{1} << 50)), std::nullopt);
}

TEST_F(X86_64, LeavesAddressesAloneWhilePagingIsOff)
{
    host.fields[{0, "env.cr[0]"}] = 0x33;
    EXPECT_EQ(translate(0x1234), 0x1234u);
}

TEST_F(X86_64, KnowsNothingIn32BitModesAndWithoutTheRegisters)
{
    host.fields[{0, "env.efer"}] = 0;
    EXPECT_EQ(translate(kRootInImage), std::nullopt);
    host.fields.clear();
    EXPECT_EQ(translate(kRootInImage), std::nullopt);
}

TEST_F(X86_64, FindsTheLinearMapInTheTables)
{
    const KernelSpace four = space(vmcoreinfo());
    ASSERT_TRUE(four.tables && four.linear_map);
    EXPECT_EQ(four.tables->root(), kRoot);
    EXPECT_EQ(four.image_distance, 0xffffffff80000000 - kImage);
    EXPECT_EQ(four.linear_map->distance, kLinearMap);
    EXPECT_EQ(four.linear_map->range.first, kLinearMap);
    EXPECT_TRUE(four.translate(kRootInImage, host.guest).writable);
    EXPECT_FALSE(four.translate(0xffffffff80200000, host.guest).writable);
    put_tables(kRoot, 5);
    const KernelSpace five = space(vmcoreinfo("NUMBER(pgtable_l5_enabled)=1\n"));
    ASSERT_TRUE(five.linear_map);
    // Indices 300, 44 and 5 in five levels.
    EXPECT_EQ(five.linear_map->distance, 0xff2c160140000000);
}

TEST_F(X86_64, TakesNothingElseForTheLinearMap)
{
    // Another place, as of vmalloc space.
    put(0x2004000, kRoot >> 21, 0x3000000 | kPresent | kLarge);
    EXPECT_FALSE(space(vmcoreinfo()).linear_map);
    put(0x2004000, kRoot >> 21, 0);
    EXPECT_FALSE(space(vmcoreinfo()).linear_map);
    // A dump may lack the last table. Whatever it leads to is not read.
    put(0x2003000, 5, 0x70000000000 | kPresent);
    EXPECT_TRUE(space(vmcoreinfo()).linear_map);
    put(kRoot, 300, 0);
    EXPECT_FALSE(space(vmcoreinfo()).linear_map) << "the image is none";
    EXPECT_TRUE(space(vmcoreinfo()).tables);
}

TEST_F(X86_64, HasNoTablesWithoutVmcoreinfosValuesOrWithEncryptedMemory)
{
    EXPECT_FALSE(space("OSRELEASE=6\nNUMBER(phys_base)=16777216\n").tables);
    EXPECT_FALSE(space("OSRELEASE=6\nSYMBOL(init_top_pgt)=ffffffff80010000\n").tables);
    EXPECT_FALSE(space(vmcoreinfo("NUMBER(sme_mask)=140737488355328\n")).tables);
}

TEST_F(X86_64, KnowsItsKernelByWhereTheTablesOfAProcessLead)
{
    const auto kernel =
        PageTables::of_kernel(Vmcoreinfo(vmcoreinfo()), {.elf_machine = EM_X86_64}, host.guest);
    ASSERT_TRUE(kernel);
    const auto uses = [&] { return X86_64Mmu::of_cpu(CpuState{}, host)->uses(*kernel, host.guest); };
    EXPECT_EQ(uses(), true);
    constexpr std::uint64_t kProcess = 0x3002000;
    host.fields[{0, "env.cr[3]"}] = kProcess | 0x801; // with PCID
    EXPECT_EQ(uses(), false);
    put(kProcess, 511, 0x2000000 | kPresent);
    EXPECT_EQ(uses(), true);
    host.fields[{0, "env.cr[3]"}] = kProcess + 0x1000; // the root for programs of KPTI, just behind
    EXPECT_EQ(uses(), true);
    host.fields[{0, "env.cr[3]"}] = kProcess + 0x2000;
    EXPECT_EQ(uses(), false);
    host.fields[{0, "env.cr[0]"}] = 0;
    EXPECT_EQ(uses(), std::nullopt);
}

TEST(X86_64Registers, AreThoseOfTheNote)
{
    std::vector<std::byte> note(27 * 8);
    const auto set = [&](std::size_t index, std::uint64_t value) {
        std::memcpy(&note[8 * index], &value, 8);
    };
    for (std::size_t i = 0; i < 27; ++i) {
        set(i, 100 + i);
    }
    set(16, 0xffffffff81000000);
    set(17, 0x10);
    const CpuRegisters kernel = kX86_64.decode_registers(note);
    EXPECT_EQ(kernel.pc, 0xffffffff81000000);
    EXPECT_EQ(kernel.sp, 119u);
    EXPECT_EQ(kernel.frame_pointer, 104u);
    EXPECT_EQ(kernel.state, 118u);
    std::map<std::string, std::uint64_t> named;
    for (std::size_t i = 0; i < kernel.general.size(); ++i) {
        named[kernel.name_of(i)] = kernel.general[i];
    }
    const std::map<std::string, std::uint64_t> expected = {
        {"r15", 100}, {"r14", 101}, {"r13", 102}, {"r12", 103}, {"rbp", 104},
        {"rbx", 105}, {"r11", 106}, {"r10", 107}, {"r9", 108},  {"r8", 109},
        {"rax", 110}, {"rcx", 111}, {"rdx", 112}, {"rsi", 113}, {"rdi", 114}};
    EXPECT_EQ(named, expected);
    EXPECT_TRUE(kernel.in_kernel);
    EXPECT_FALSE(kernel.in_firmware);
    set(17, 0x33);
    EXPECT_FALSE(kX86_64.decode_registers(note).in_kernel) << "a program";
    EXPECT_FALSE(kX86_64.decode_registers(note).in_firmware);
    set(16, 0xfff0);
    set(17, 0xf000);
    EXPECT_FALSE(kX86_64.decode_registers(note).in_kernel);
    EXPECT_TRUE(kX86_64.decode_registers(note).in_firmware);
    EXPECT_FALSE(kX86_64.decode_registers(std::vector<std::byte>(27 * 8)).in_firmware) << "no registers";
}

TEST(X86_64Registers, OfATaskThatSleepsAreOnItsStack)
{
    std::map<std::uint64_t, std::uint64_t> words = {
        {0x1000, 0xffffc90000010000}, {0xffffc90000010028, 1}, {0xffffc90000010030, 2}};
    const ReadWord read = [&](std::uint64_t at) {
        const auto found = words.find(at);
        return found == words.end() ? std::nullopt : std::optional(found->second);
    };
    const auto saved = kX86_64.saved_registers(0x1000, read);
    ASSERT_TRUE(saved);
    EXPECT_EQ(saved->frame_pointer, 1u);
    EXPECT_EQ(saved->pc, 2u);
    EXPECT_EQ(saved->sp, 0xffffc90000010038);
    words.erase(0xffffc90000010030);
    EXPECT_FALSE(kX86_64.saved_registers(0x1000, read));
}

/// Stacks of four pages with a page between them that is not mapped.
class X86_64Stacks : public testing::Test, public AddressTranslation
{
  protected:
    static constexpr std::uint64_t kTask = 0xffffc90000010000;
    static constexpr std::uint64_t kInterrupt = 0xffffc90000021000;
    static constexpr std::uint64_t kNmi = 0xfffffe0000003000;

    X86_64Stacks()
    {
        guest.add_ram(0, 0x100000);
        for (std::uint64_t i = 0; i < 4; ++i) {
            pages[kTask + i * 0x1000] = 0x10000 + i * 0x3000;
            pages[kInterrupt + i * 0x1000] = 0x40000 + i * 0x3000;
        }
        pages[kNmi] = 0x80000;
        pages[kNmi + 0x1000] = 0x90000;
    }

    std::optional<std::uint64_t> translate(unsigned, std::uint64_t virt) override
    {
        const auto page = pages.find(virt);
        return page == pages.end() ? std::nullopt : std::optional(page->second);
    }

    void put(std::uint64_t virt, std::uint64_t value)
    {
        guest.put(pages.at(virt & ~0xfffull) + (virt & 0xfff), {reinterpret_cast<const char*>(&value), 8});
    }

    std::vector<std::uint64_t> pages_of(std::uint64_t sp)
    {
        CpuState cpu;
        cpu.registers.sp = sp;
        std::vector<std::uint64_t> virts;
        for (const Region& region :
             stack_pages(std::span(&cpu, 1), {.elf_machine = EM_X86_64}, *this, guest)) {
            virts.push_back(region.virt);
        }
        return virts;
    }

    FakeGuest guest;
    std::map<std::uint64_t, std::uint64_t> pages;
};

TEST_F(X86_64Stacks, AreWhatIsMappedAboveTheStackPointer)
{
    EXPECT_EQ(pages_of(kTask + 0x1008), (std::vector{kTask + 0x1000, kTask + 0x2000, kTask + 0x3000}));
    EXPECT_TRUE(pages_of(kTask + 0x4000).empty()) << "the page between stacks";
    // Without pages between stacks it is one stack's size.
    for (std::uint64_t i = 4; i < 32; ++i) {
        pages[kTask + i * 0x1000] = 0xa0000;
    }
    EXPECT_EQ(pages_of(kTask + 0x1008).size(), 4u);
}

TEST_F(X86_64Stacks, OfAnNmiLeadToThatOfTheInterruptAndOfTheTask)
{
    put(kNmi + 0x2000 - 8, 0x18);                 // ss
    put(kNmi + 0x2000 - 16, kInterrupt + 0x2f00); // rsp
    put(kInterrupt + 0x4000 - 8, kTask + 0x3e00);
    EXPECT_EQ(pages_of(kNmi + 0x1f00),
              (std::vector{kTask + 0x3000, kInterrupt + 0x2000, kInterrupt + 0x3000, kNmi + 0x1000}));
}

TEST_F(X86_64Stacks, AreFollowedToABound)
{
    put(kInterrupt + 0x4000 - 8, kTask + 0x3e00);
    put(kTask + 0x4000 - 8, kInterrupt + 0x3000);
    EXPECT_EQ(pages_of(kInterrupt + 0x3f00).size(), 2u) << "in a circle";
    // The longest way: each stack says that it interrupted the next.
    constexpr std::uint64_t kMany = 0xffffc90001000000;
    for (std::uint64_t i = 0; i < 40; ++i) {
        const std::uint64_t page = kMany + i * 0x2000;
        pages[page] = 0xa0000 + i * 0x1000;
        put(page + 0x1000 - 8, page + 0x2000);
    }
    EXPECT_EQ(pages_of(kMany).size(), 16u);
}

} // namespace
