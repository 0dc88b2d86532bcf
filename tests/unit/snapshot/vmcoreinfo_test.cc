// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects how the guest's vmcoreinfo text becomes a note, and that no text, however odd, costs the
// image or changes the page size to something that is none.
#include "common/vmcoreinfo.h"
#include "hw/snapshot/vmcoreinfo.h"

#include "composed.h"

#include <gtest/gtest.h>

namespace
{

using kmd::Plan;
using kmd::Vmcoreinfo;
using kmd::test::compose;
using kmd::test::CoreReader;
using kmd::test::FakeGuest;
using kmd::test::memory_at;
using kmd::test::Note;

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kVirt = 0xffff800000000000;

struct VmcoreinfoTest : testing::Test {
    VmcoreinfoTest() { guest.add_ram(kRam, 0x100000); }

    Plan with_text(const std::string& text, std::uint64_t size)
    {
        guest.fill(kRam, 0x100000, 0);
        guest.put(kRam, text);
        return compose({memory_at(kRam, kVirt, size, 2)}, guest);
    }

    std::vector<Note> notes(const std::string& text, std::uint64_t size)
    {
        return CoreReader(with_text(text, size).head).notes();
    }

    /// What one byte in the middle of RAM is rounded out to, given this text.
    std::uint64_t page(const std::string& text)
    {
        guest.fill(kRam, 0x1000, 0);
        guest.put(kRam, text);
        const Plan plan =
            compose({memory_at(kRam, 0, 0x1000, 2), memory_at(kRam + 0x8ffff, kVirt + 0x8ffff, 1)}, guest);
        return CoreReader(plan.head).loads.back().p_filesz;
    }

    FakeGuest guest;
};

TEST_F(VmcoreinfoTest, BecomesANoteOfTypeZero)
{
    const auto found = notes("OSRELEASE=6.12.0\nPAGESIZE=4096\n", 0x1000);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, std::string("VMCOREINFO\0", 11));
    EXPECT_EQ(found[0].type, 0u);
    EXPECT_EQ(found[0].text, "OSRELEASE=6.12.0\nPAGESIZE=4096\n");
}

TEST_F(VmcoreinfoTest, EndsAtTheFirstZeroByte)
{
    const auto found = notes(std::string("A=1\n\0B=2\n", 9), 0x1000);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].text, "A=1\n");
}

TEST_F(VmcoreinfoTest, EndsAtTheEndOfTheRegionWithoutAZeroByte)
{
    const auto found = notes("OSRELEASE=6.12.0\n", 9);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].text, "OSRELEASE");
}

TEST_F(VmcoreinfoTest, OfAnyLengthLeavesTheNotesAligned)
{
    for (std::size_t length = 1; length <= 9; ++length) {
        const auto found = notes(std::string(length, 'x'), 0x1000);
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].text, std::string(length, 'x'));
        const CoreReader core(with_text(std::string(length, 'x'), 0x1000).head);
        EXPECT_EQ(core.others.at(0).p_filesz, 24 + (length + 3) / 4 * 4);
    }
}

TEST_F(VmcoreinfoTest, WithoutTextIsNoNote)
{
    const Plan plan = with_text("", 0x1000);
    const CoreReader core(plan.head);
    EXPECT_EQ(core.others.at(0).p_filesz, 0u);
    EXPECT_EQ(core.loads.size(), 1u) << "its memory is saved all the same";
}

TEST_F(VmcoreinfoTest, IsCutAt64KiB)
{
    const std::string text(100000, 'v');
    const auto found = notes(text, 100000);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].text, std::string(65536, 'v'));
    EXPECT_EQ(notes(text, 65536).at(0).text.size(), 65536u);
    EXPECT_EQ(notes(text, 65535).at(0).text.size(), 65535u);
}

TEST_F(VmcoreinfoTest, IsReadAcrossShortRuns)
{
    guest.split_runs(5);
    EXPECT_EQ(notes("OSRELEASE=6.12.0\nPAGESIZE=4096\n", 0x1000).at(0).text,
              "OSRELEASE=6.12.0\nPAGESIZE=4096\n");
}

TEST_F(VmcoreinfoTest, FollowsTheCpuNotes)
{
    guest.put(kRam, "A=1\n");
    std::vector<std::byte> cpu(20, std::byte{0});
    cpu[0] = std::byte{5};
    cpu[8] = std::byte{1};
    std::memcpy(&cpu[12], "CORE", 4);
    const CoreReader core(compose({memory_at(kRam, kVirt, 0x1000, 2)}, guest, cpu).head);
    const auto found = core.notes();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].type, 1u);
    EXPECT_EQ(found[1].text, "A=1\n");
}

TEST_F(VmcoreinfoTest, IsMemoryToo)
{
    const CoreReader core(kmd::test::assemble(with_text("A=1\n", 0x1000)));
    EXPECT_EQ(core.read_virt(kVirt, 0x1000), guest.bytes(kRam, 0x1000));
}

TEST_F(VmcoreinfoTest, OnlyTheKindMakesIt)
{
    guest.put(kRam, "PAGESIZE=65536\n");
    for (const std::uint32_t kind : {0u, 1u}) {
        const CoreReader core(
            compose({memory_at(kRam, kVirt, 0x1000, kind), memory_at(kRam + 0x9000, kVirt, 1)}, guest).head);
        EXPECT_EQ(core.others.at(0).p_filesz, 0u);
        EXPECT_EQ(core.loads.at(0).p_filesz, 0x1000u);
    }
}

TEST_F(VmcoreinfoTest, ThatIsNotRamIsLeftOutWithItsRegion)
{
    const auto plan = compose({memory_at(0x1000, kVirt, 0x1000, 2), memory_at(kRam, kVirt, 1)}, guest);
    EXPECT_EQ(kmd::test::statuses(plan), (std::vector<int>{18, 1}));
    EXPECT_EQ(CoreReader(plan.head).others.at(0).p_filesz, 0u);
}

TEST_F(VmcoreinfoTest, PageSizesOfLinuxAreHonoured)
{
    EXPECT_EQ(page("PAGESIZE=4096\n"), 0x1000u);
    EXPECT_EQ(page("PAGESIZE=16384\n"), 0x4000u);
    EXPECT_EQ(page("PAGESIZE=65536\n"), 0x10000u);
    EXPECT_EQ(page("OSRELEASE=6.12.0\nBUILD-ID=1\nPAGESIZE=65536\nSYMBOL(x)=1\n"), 0x10000u);
    EXPECT_EQ(page("\n\nPAGESIZE=65536"), 0x10000u) << "the last line needs no end";
}

TEST_F(VmcoreinfoTest, NonsenseForAPageSizeMeans4KiB)
{
    for (const char* text : {"",
                             "\n",
                             "PAGESIZE",
                             "PAGESIZE=",
                             "PAGESIZE=\n65536\n",
                             "PAGESIZE=banana\n",
                             "PAGESIZE=0\n",
                             "PAGESIZE=1\n",
                             "PAGESIZE=4095\n",
                             "PAGESIZE=8192\n",
                             "PAGESIZE=65537\n",
                             "PAGESIZE=131072\n",
                             "PAGESIZE=-65536\n",
                             "PAGESIZE=+65536\n",
                             "PAGESIZE= 65536\n",
                             "PAGESIZE=0x10000\n",
                             "PAGESIZE=18446744073709617152\n",
                             "PAGESIZE=99999999999999999999999999\n",
                             "XPAGESIZE=65536\n",
                             "OSRELEASE=PAGESIZE=65536\n",
                             "pagesize=65536\n"}) {
        EXPECT_EQ(page(text), 0x1000u) << text;
    }
}

TEST_F(VmcoreinfoTest, PageSizeWithSomethingBehindTheNumberIsNonsense)
{
    EXPECT_EQ(page("PAGESIZE=65536x\n"), 0x1000u);
    EXPECT_EQ(page("PAGESIZE=65536 4096\n"), 0x1000u);
}

TEST_F(VmcoreinfoTest, PageSizeBehindTheTerminatorDoesNotCount)
{
    EXPECT_EQ(page(std::string("A=1\n\0PAGESIZE=65536\n", 20)), 0x1000u);
}

TEST_F(VmcoreinfoTest, NumbersAreReadAsTheKernelWritesThem)
{
    const std::string text = "KERNELOFFSET=10\nNUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff0Ab0\n"
                             "SYMBOL(prb)=ffff800012345678\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-2\nNUMBER(x)=\n"
                             "NUMBER(y)=12z\nNUMBER(z)=99999999999999999999";
    const Vmcoreinfo info(text);
    EXPECT_EQ(info.number("NUMBER(VA_BITS)"), 48u);
    EXPECT_EQ(info.number("NUMBER(kimage_voffset)"), 0xffff0ab0u);
    EXPECT_EQ(info.symbol("SYMBOL(prb)"), 0xffff800012345678u);
    EXPECT_EQ(info.number("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)"), ~std::uint64_t{1});
    for (const char* key : {"NUMBER(x)", "NUMBER(y)", "NUMBER(z)", "NUMBER(VA_BIT)", "VA_BITS)", "nothing"}) {
        EXPECT_FALSE(info.number(key)) << key;
    }
}

} // namespace
