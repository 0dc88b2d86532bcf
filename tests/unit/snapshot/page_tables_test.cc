// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tables are laid out here by hand, from the Arm manual's descriptor format.
#include "hw/snapshot/page_tables.h"

#include "fake_guest.h"

#include <gtest/gtest.h>

#include <elf.h>

#include <string>

namespace
{

using namespace kmd;

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kRamSize = 0x1000000;
constexpr std::uint64_t kRoot = kRam + 0x10000;

struct Kernel {
    std::string page_size = "4096";
    std::string va_bits = "48";
    std::string t1sz = "0x10";
    std::string phys_offset = "0x40000000";
    std::string root = "ffff800080010000";
};

std::string vmcoreinfo(const Kernel& kernel = {})
{
    return "OSRELEASE=6.12\nPAGESIZE=" + kernel.page_size + "\nSYMBOL(swapper_pg_dir)=" + kernel.root +
           "\nNUMBER(VA_BITS)=" + kernel.va_bits + "\nNUMBER(kimage_voffset)=0xffff800040000000\n" +
           "NUMBER(PHYS_OFFSET)=" + kernel.phys_offset + "\nNUMBER(TCR_EL1_T1SZ)=" + kernel.t1sz + "\n";
}

Machine machine(std::uint16_t elf_machine = EM_AARCH64)
{
    Machine machine;
    machine.elf_machine = elf_machine;
    return machine;
}

using Pages = std::set<std::uint64_t>;

class PageTablesTest : public testing::Test
{
  protected:
    PageTablesTest() { guest.add_ram(kRam, kRamSize); }

    void put(std::uint64_t table, std::uint64_t index, std::uint64_t descriptor)
    {
        guest.put(table + index * 8, {reinterpret_cast<const char*>(&descriptor), 8});
    }

    Pages collect(std::uint64_t first, std::uint64_t last, const std::string& text = vmcoreinfo(),
                  PageTables::Budget budget = {})
    {
        const auto tables = PageTables::of_kernel(Vmcoreinfo(text), machine(), guest);
        Pages pages;
        EXPECT_TRUE(tables.has_value());
        complete = tables && tables->collect({first, last}, guest, budget, pages);
        return pages;
    }

    test::FakeGuest guest;
    bool complete = false;
};

constexpr std::uint64_t kTable = 3;
constexpr std::uint64_t kBlock = 1;

TEST_F(PageTablesTest, OfFourLevelsAreAllFound)
{
    // 0xffff800080123000: 256, 2, 0, 291
    put(kRoot, 256, (kRam + 0x11000) | kTable);
    put(kRam + 0x11000, 2, (kRam + 0x12000) | kTable);
    put(kRam + 0x12000, 0, (kRam + 0x13000) | kTable);
    EXPECT_EQ(collect(0xffff800080123000, 0xffff800080123fff),
              (Pages{kRoot, kRam + 0x11000, kRam + 0x12000, kRam + 0x13000}));
    EXPECT_TRUE(complete);
}

TEST_F(PageTablesTest, AttributesOfADescriptorAreNoPartOfTheAddress)
{
    put(kRoot, 256, (kRam + 0x11000) | kTable | 0xfff0000000000f00);
    EXPECT_EQ(collect(0xffff800000000000, 0xffff800000000000), (Pages{kRoot, kRam + 0x11000}));
}

TEST_F(PageTablesTest, EndAtABlock)
{
    put(kRoot, 256, (kRam + 0x11000) | kTable);
    put(kRam + 0x11000, 2, kRam | kBlock);
    EXPECT_EQ(collect(0xffff800080000000, 0xffff8000bfffffff), (Pages{kRoot, kRam + 0x11000}));
}

TEST_F(PageTablesTest, OfEveryPartOfARangeAreFound)
{
    put(kRoot, 256, (kRam + 0x11000) | kTable);
    put(kRam + 0x11000, 0, (kRam + 0x12000) | kTable);
    for (std::uint64_t i = 0; i < 512; ++i) {
        put(kRam + 0x12000, i, (kRam + 0x20000 + i * 0x1000) | kTable);
    }
    // Five megabytes that begin in the middle of one table's two.
    const auto pages = collect(0xffff800000300000, 0xffff8000007fffff);
    EXPECT_EQ(pages,
              (Pages{kRoot, kRam + 0x11000, kRam + 0x12000, kRam + 0x21000, kRam + 0x22000, kRam + 0x23000}));
}

TEST_F(PageTablesTest, WithoutAnEntryCostOneStepForItsWholeReach)
{
    const auto pages = collect(0xffff000000000000, 0xffffffffffffffff, vmcoreinfo(), {512, 1});
    EXPECT_EQ(pages, Pages{kRoot});
    EXPECT_TRUE(complete);
}

TEST_F(PageTablesTest, ThatAreNotRamAreLeftOut)
{
    put(kRoot, 256, 0x09000000 | kTable);
    put(kRoot, 257, (kRam + kRamSize) | kTable);
    EXPECT_EQ(collect(0xffff800000000000, 0xffff80ffffffffff), Pages{kRoot});
    EXPECT_TRUE(complete);
}

TEST_F(PageTablesTest, WithARootThatIsNotRamAreNone)
{
    EXPECT_TRUE(
        collect(0xffff800000000000, 0xffff80ffffffffff, vmcoreinfo({.root = "ffff800010010000"})).empty());
}

TEST_F(PageTablesTest, ThatLeadInCirclesEndWithTheBudget)
{
    for (std::uint64_t i = 0; i < 512; ++i) {
        put(kRoot, i, kRoot | kTable);
    }
    EXPECT_EQ(collect(0xffff000000000000, 0xffffffffffffffff), Pages{kRoot});
    EXPECT_FALSE(complete);
}

TEST_F(PageTablesTest, EndWithTheBudgetOfPages)
{
    put(kRoot, 256, (kRam + 0x11000) | kTable);
    EXPECT_EQ(collect(0xffff800000000000, 0xffff800000000fff, vmcoreinfo(), {100, 1}), Pages{kRoot});
    EXPECT_FALSE(complete);
}

TEST_F(PageTablesTest, OfFiveLevelsBeginWithTheLargerSpace)
{
    // LPA2: 52 bits in 4 KiB pages; the root has 16 entries.
    const Kernel kernel{.va_bits = "52", .t1sz = "0xc"};
    // 0xfff8000080123000: 8, 0, 2, 0, 291
    put(kRoot, 8, (kRam + 0x11000) | kTable);
    put(kRam + 0x11000, 0, (kRam + 0x12000) | kTable);
    put(kRam + 0x12000, 2, (kRam + 0x13000) | kTable);
    put(kRam + 0x13000, 0, (kRam + 0x14000) | kTable);
    EXPECT_EQ(collect(0xfff8000080123000, 0xfff8000080123000, vmcoreinfo(kernel)),
              (Pages{kRoot, kRam + 0x11000, kRam + 0x12000, kRam + 0x13000, kRam + 0x14000}));
}

TEST_F(PageTablesTest, OfAKernelForFiveLevelsOnACpuWithFourHaveFour)
{
    put(kRoot, 256, (kRam + 0x11000) | kTable);
    EXPECT_EQ(collect(0xffff800000000000, 0xffff800000000000, vmcoreinfo({.va_bits = "52"})),
              (Pages{kRoot, kRam + 0x11000}));
}

TEST_F(PageTablesTest, OfFiveLevelsHaveTheHighestAddressBitsInTheLowOnes)
{
    guest.add_ram(0x4000000000000, 0x10000);
    put(kRoot, 8, 0x100 | kTable | 0x1000);
    EXPECT_EQ(collect(0xfff8000000000000, 0xfff8000000000000, vmcoreinfo({.va_bits = "52", .t1sz = "0xc"})),
              (Pages{kRoot, 0x4000000001000}));
}

TEST_F(PageTablesTest, Of64KiBPagesHaveThreeLevels)
{
    const Kernel kernel{.page_size = "65536"};
    // 0xffff800080120000: level 1 covers 4 TiB, level 2 512 MiB: 32, 4, 18. The root's 48 bits.
    put(kRoot, 32, (kRam + 0x20000) | kTable);
    put(kRam + 0x20000, 4, (kRam + 0x30000) | kTable);
    EXPECT_EQ(collect(0xffff800080120000, 0xffff800080120000, vmcoreinfo(kernel)),
              (Pages{kRoot, kRam + 0x20000, kRam + 0x30000}));
}

TEST_F(PageTablesTest, Of16KiBPagesHaveFourLevels)
{
    const Kernel kernel{.page_size = "16384"};
    // Level 0 has two entries; level 1 covers 64 GiB an entry, level 2 32 MiB: 1, 0, 64.
    put(kRoot, 1, (kRam + 0x20000) | kTable);
    put(kRam + 0x20000, 0, (kRam + 0x24000) | kTable);
    put(kRam + 0x24000, 64, (kRam + 0x28000) | kTable);
    EXPECT_EQ(collect(0xffff800080000000, 0xffff800080000000, vmcoreinfo(kernel)),
              (Pages{kRoot, kRam + 0x20000, kRam + 0x24000, kRam + 0x28000}));
}

TEST_F(PageTablesTest, AreSeenThroughTheLinearMap)
{
    const auto plain = PageTables::of_kernel(Vmcoreinfo(vmcoreinfo()), machine(), guest);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->linear_address(0x40010000), 0xffff000000010000u);
    // A kernel for 52 bits on a CPU that has 48, with numbers that a stock kernel printed.
    const auto stock = PageTables::of_kernel(
        Vmcoreinfo(vmcoreinfo({.va_bits = "52", .phys_offset = "0xfff0d67600000000"})), machine(), guest);
    ASSERT_TRUE(stock);
    EXPECT_EQ(stock->linear_address(0x41a79000), 0xffff298a41a79000u);
}

TEST_F(PageTablesTest, NeedWhatTheKernelSaysOfThem)
{
    const auto whole = vmcoreinfo();
    ASSERT_TRUE(PageTables::of_kernel(Vmcoreinfo(whole), machine(), guest));
    for (const std::string key :
         {"SYMBOL(swapper_pg_dir)", "NUMBER(VA_BITS)", "NUMBER(kimage_voffset)", "NUMBER(PHYS_OFFSET)"}) {
        auto text = whole;
        text.replace(text.find(key), 3, "???");
        EXPECT_FALSE(PageTables::of_kernel(Vmcoreinfo(text), machine(), guest)) << key;
    }
    EXPECT_FALSE(PageTables::of_kernel(Vmcoreinfo(""), machine(), guest));
    EXPECT_FALSE(PageTables::of_kernel(Vmcoreinfo(whole), machine(EM_X86_64), guest));
}

TEST_F(PageTablesTest, OfNoLinuxAreNone)
{
    for (const Kernel& kernel : {Kernel{.va_bits = "0"}, Kernel{.va_bits = "35"}, Kernel{.va_bits = "53"},
                                 Kernel{.va_bits = "18446744073709551615"}, Kernel{.va_bits = "-1"},
                                 Kernel{.t1sz = "0x0"}, Kernel{.t1sz = "0x3f"}, Kernel{.t1sz = "0xc"}}) {
        EXPECT_FALSE(PageTables::of_kernel(Vmcoreinfo(vmcoreinfo(kernel)), machine(), guest))
            << kernel.va_bits << kernel.t1sz;
    }
}

} // namespace
