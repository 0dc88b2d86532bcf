// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what the composer puts into a core image: which memory, where, how often, and how its
// segments are merged and rounded. The images are read back as a debugger reads them.
#include "composed.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <utility>

namespace
{

using kmd::Plan;
using kmd::Region;
using kmd::test::assemble;
using kmd::test::body_size;
using kmd::test::compose;
using kmd::test::CoreReader;
using kmd::test::FakeGuest;
using kmd::test::memory_at;
using kmd::test::statuses;

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kVirt = 0xffff800000000000;
constexpr std::uint64_t kDelta = kVirt - kRam;
constexpr std::uint64_t kVmcoreinfoAt = 0x7f000000;

/// A guest with 1 MiB of RAM that holds something different everywhere.
struct ComposerTest : testing::Test {
    ComposerTest()
    {
        guest.add_ram(kRam, 0x100000);
        guest.fill_pattern(kRam, 0x100000);
    }

    /// A region of kind VMCOREINFO with this text, in a page of RAM of its own.
    Region vmcoreinfo(const std::string& text)
    {
        guest.add_ram(kVmcoreinfoAt, 0x1000);
        guest.put(kVmcoreinfoAt, text);
        return memory_at(kVmcoreinfoAt, kVmcoreinfoAt + kDelta, 0x1000, 2);
    }

    void expect_load(const Elf64_Phdr& load, std::uint64_t phys, std::uint64_t virt, std::uint64_t size)
    {
        EXPECT_EQ(load.p_paddr, phys);
        EXPECT_EQ(load.p_vaddr, virt);
        EXPECT_EQ(load.p_filesz, size);
        EXPECT_EQ(load.p_memsz, size);
    }

    /// Whether a debugger finds the true bytes by physical and by virtual address.
    void expect_holds(const CoreReader& core, const Region& region)
    {
        const auto truth = guest.bytes(region.phys, region.size);
        EXPECT_EQ(core.read_phys(region.phys, region.size), truth) << std::hex << region.phys;
        EXPECT_EQ(core.read_virt(region.virt, region.size), truth) << std::hex << region.virt;
    }

    FakeGuest guest;
};

TEST_F(ComposerTest, NoRegionGivesHeadersAndNoMemory)
{
    const auto plan = compose({}, guest);
    const CoreReader core(plan.head);
    EXPECT_TRUE(core.loads.empty());
    EXPECT_EQ(core.others.size(), 1u);
    EXPECT_EQ(body_size(plan), 0u);
    EXPECT_EQ(plan.file_size, plan.head.size());
    EXPECT_TRUE(plan.statuses.empty());
}

TEST_F(ComposerTest, HeaderIsThatOfA64BitLittleEndianCoreOfLinux)
{
    const auto plan = compose({memory_at(kRam, kVirt, 0x1000)}, guest);
    const CoreReader core(plan.head);
    const std::vector<int> ident(core.header.e_ident, core.header.e_ident + 16);
    EXPECT_EQ(ident, (std::vector<int>{0x7f, 'E', 'L', 'F', 2, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(core.header.e_type, 4);
    EXPECT_EQ(core.header.e_machine, 183);
    EXPECT_EQ(core.header.e_version, 1u);
    EXPECT_EQ(core.header.e_phoff, 64u) << "right after the ELF header";
    EXPECT_EQ(core.header.e_phnum, 2);
    EXPECT_EQ(core.header.e_shoff, 0u);
    EXPECT_EQ(core.types, (std::vector<std::uint32_t>{4, 1})) << "the only PT_NOTE is first";
    EXPECT_EQ(core.loads[0].p_align, 0u);
    EXPECT_EQ(core.loads[0].p_flags, 7u);
}

TEST_F(ComposerTest, HeadIsMarkedIncompleteWhereThePlanSays)
{
    const auto plan = compose({memory_at(kRam, kVirt, 0x1000)}, guest);
    EXPECT_EQ(CoreReader(plan.head).header.e_flags, 1u);
    EXPECT_EQ(plan.flags_offset, 48u) << "e_flags of a 64-bit ELF header";
}

TEST_F(ComposerTest, OnePageIsFoundByBothAddresses)
{
    const Region region = memory_at(kRam + 0x3000, kVirt + 0x3000, 0x1000);
    const auto plan = compose({region}, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1}));
    EXPECT_EQ(body_size(plan), 0x1000u);
    EXPECT_EQ(plan.file_size, plan.head.size() + 0x1000);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x3000, kVirt + 0x3000, 0x1000);
    expect_holds(core, region);
}

TEST_F(ComposerTest, HeadEndsWhereTheFirstBytesOfMemoryLie)
{
    for (const unsigned pages : {1u, 71u, 72u, 73u, 145u}) {
        // 64 + 56 bytes for each program header: 72 of them still fit the first page.
        std::vector<Region> regions;
        for (unsigned i = 0; i < pages; ++i) {
            regions.push_back(memory_at(kRam + i * 0x1000, kVirt + i * 0x3000, 0x1000));
        }
        const auto plan = compose(regions, guest);
        const CoreReader core(plan.head);
        ASSERT_EQ(core.loads.size(), pages);
        const std::uint64_t expected = (64 + 56 * (pages + 1) + 4095) / 4096 * 4096;
        EXPECT_EQ(plan.head.size(), expected);
        EXPECT_EQ(core.loads[0].p_offset, expected);
    }
}

TEST_F(ComposerTest, SmallRegionIsRoundedOutToItsPage)
{
    const auto plan = compose({memory_at(kRam + 0x5123, kVirt + 0x5123, 5)}, guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x5000, kVirt + 0x5000, 0x1000);
    expect_holds(core, memory_at(kRam + 0x5000, kVirt + 0x5000, 0x1000));
}

TEST_F(ComposerTest, RegionAcrossAPageBoundaryGetsBothPages)
{
    const auto plan = compose({memory_at(kRam + 0x5fff, kVirt + 0x5fff, 2)}, guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x5000, kVirt + 0x5000, 0x2000);
}

TEST_F(ComposerTest, NeighboursBecomeOneSegment)
{
    const auto plan = compose({memory_at(kRam + 0x2000, kVirt + 0x2000, 0x1000),
                               memory_at(kRam + 0x1000, kVirt + 0x1000, 0x1000),
                               memory_at(kRam + 0x3010, kVirt + 0x3010, 0x20)},
                              guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x1000, kVirt + 0x1000, 0x3000);
    EXPECT_EQ(body_size(plan), 0x3000u);
}

TEST_F(ComposerTest, OverlappingRegionsAreStoredOnce)
{
    const std::vector<Region> regions = {
        memory_at(kRam + 0x1000, kVirt + 0x1000, 0x3000), memory_at(kRam + 0x2000, kVirt + 0x2000, 0x1000),
        memory_at(kRam + 0x3800, kVirt + 0x3800, 0x1000), memory_at(kRam + 0x1000, kVirt + 0x1000, 0x3000)};
    const auto plan = compose(regions, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1, 1, 1, 1}));
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x1000, kVirt + 0x1000, 0x4000);
    EXPECT_EQ(body_size(plan), 0x4000u);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, PhysicalNeighboursAtStrangeVirtualAddressesStayApart)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x1000, kVirt + 0x1000, 0x1000),
                                         memory_at(kRam + 0x2000, kVirt + 0x9000, 0x1000)};
    const auto plan = compose(regions, guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam + 0x1000, kVirt + 0x1000, 0x1000);
    expect_load(core.loads[1], kRam + 0x2000, kVirt + 0x9000, 0x1000);
    EXPECT_EQ(body_size(plan), 0x2000u);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, VirtualNeighboursAtStrangePhysicalAddressesStayApart)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x9000, kVirt + 0x1000, 0x1000),
                                         memory_at(kRam + 0x1000, kVirt + 0x2000, 0x1000)};
    const CoreReader core(assemble(compose(regions, guest)));
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam + 0x1000, kVirt + 0x2000, 0x1000);
    expect_load(core.loads[1], kRam + 0x9000, kVirt + 0x1000, 0x1000);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, SegmentsAreSortedByPhysicalAddress)
{
    std::vector<Region> regions;
    for (const std::uint64_t page : {9u, 1u, 5u, 3u, 7u}) {
        regions.push_back(memory_at(kRam + page * 0x1000, kVirt - page * 0x1000, 0x1000));
    }
    const CoreReader core(compose(regions, guest).head);
    ASSERT_EQ(core.loads.size(), 5u);
    for (std::size_t i = 1; i < 5; ++i) {
        EXPECT_LT(core.loads[i - 1].p_paddr, core.loads[i].p_paddr);
        EXPECT_LT(core.loads[i - 1].p_offset, core.loads[i].p_offset);
    }
}

TEST_F(ComposerTest, OnePageAtTwoVirtualAddressesIsStoredOnce)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x4000, kVirt + 0x4000, 0x1000),
                                         memory_at(kRam + 0x4000, 0xffffffc000000000, 0x1000)};
    const auto plan = compose(regions, guest);
    EXPECT_EQ(body_size(plan), 0x1000u);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 2u);
    EXPECT_EQ(core.loads[0].p_offset, core.loads[1].p_offset);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, ViewsThatOverlapPartlyShareTheBytesTheyShare)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x1000, kVirt + 0x1000, 0x2000),
                                         memory_at(kRam + 0x2000, 0xffffffc000000000, 0x2000),
                                         memory_at(kRam + 0x1000, 0xffffffd000000000, 0x4000),
                                         memory_at(kRam + 0x8000, 0xffffffe000000000, 0x1000)};
    const auto plan = compose(regions, guest);
    EXPECT_EQ(body_size(plan), 0x5000u);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 4u);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, VirtualOffsetInPageThatDiffersIsKeptExact)
{
    const Region region = memory_at(kRam + 0x6100, kVirt + 0x200, 0x30);
    const auto plan = compose({region}, guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0x6100, kVirt + 0x200, 0x30);
    EXPECT_EQ(body_size(plan), 0x30u);
    expect_holds(core, region);
}

TEST_F(ComposerTest, ExactSegmentInsideARoundedOneSharesItsBytes)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x6100, kVirt + 0x200, 0x30),
                                         memory_at(kRam + 0x6000, kVirt + 0x6000, 0x10)};
    const auto plan = compose(regions, guest);
    EXPECT_EQ(body_size(plan), 0x1000u);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 2u);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, RoundingStopsAtTheEdgeOfRam)
{
    guest.add_ram(0x50000800, 0x1000); // half a page, then half a page
    guest.fill_pattern(0x50000800, 0x1000);
    const std::vector<Region> regions = {memory_at(0x50000900, kVirt + 0x900, 0x10),
                                         memory_at(0x50001700, kVirt + 0x101700, 0x100)};
    const auto plan = compose(regions, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1, 1}));
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], 0x50000900, kVirt + 0x900, 0x10);
    expect_load(core.loads[1], 0x50001700, kVirt + 0x101700, 0x100);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, RegionAtTheLastByteOfRamIsRoundedDownOnly)
{
    const CoreReader core(compose({memory_at(kRam + 0xfffff, kVirt + 0xfffff, 1)}, guest).head);
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], kRam + 0xff000, kVirt + 0xff000, 0x1000);
}

TEST_F(ComposerTest, PagesOf64KiBAreRoundedTo64KiB)
{
    const auto plan = compose(
        {vmcoreinfo("OSRELEASE=6.12\nPAGESIZE=65536\n"), memory_at(kRam + 0x23456, kVirt + 0x23456, 1)},
        guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam + 0x20000, kVirt + 0x20000, 0x10000);
    expect_load(core.loads[1], kVmcoreinfoAt, kVmcoreinfoAt + kDelta, 0x1000);
}

TEST_F(ComposerTest, PagesOf16KiBAreRoundedTo16KiB)
{
    const Plan plan =
        compose({memory_at(kRam + 0x5001, kVirt + 0x5001, 1), vmcoreinfo("PAGESIZE=16384")}, guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam + 0x4000, kVirt + 0x4000, 0x4000);
}

TEST_F(ComposerTest, SmallPagesStandInWhereALargeOneIsNotAllRam)
{
    guest.add_ram(0x60001000, 0x20000);
    const Plan plan =
        compose({vmcoreinfo("PAGESIZE=65536\n"), memory_at(0x60002345, kVirt + 0x2345, 1)}, guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], 0x60002000, kVirt + 0x2000, 0x1000);
}

TEST_F(ComposerTest, LargePageNeedsTheSameOffsetInBothSpaces)
{
    const Plan plan =
        compose({vmcoreinfo("PAGESIZE=65536\n"), memory_at(kRam + 0x21010, kVirt + 0x5010, 1)}, guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam + 0x21000, kVirt + 0x5000, 0x1000);
}

TEST_F(ComposerTest, LastPageOfTheAddressSpaceIsKept)
{
    guest.add_ram(0xfffffffffff00000, 0x100000);
    guest.fill_pattern(0xfffffffffff00000, 0x100000);
    const std::vector<Region> regions = {
        memory_at(0xfffffffffffffff0, 0xfffffffffffffff0, 0x10),
        memory_at(0xffffffffffffe000, 0xffffffffffffe000, 0x1000),
        memory_at(kRam, 0xffffffffffff0000, 0x1000),
    };
    const auto plan = compose(regions, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1, 1, 1}));
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[0], kRam, 0xffffffffffff0000, 0x1000);
    expect_load(core.loads[1], 0xffffffffffffe000, 0xffffffffffffe000, 0x2000);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, LastLargePageOfTheAddressSpaceIsKept)
{
    guest.add_ram(0xfffffffffff00000, 0x100000);
    const auto plan = compose(
        {vmcoreinfo("PAGESIZE=65536\n"), memory_at(0xffffffffffffffff, 0xffffffffffffffff, 1)}, guest);
    const CoreReader core(plan.head);
    ASSERT_EQ(core.loads.size(), 2u);
    expect_load(core.loads[1], 0xffffffffffff0000, 0xffffffffffff0000, 0x10000);
}

TEST_F(ComposerTest, FirstPageOfTheAddressSpaceIsKept)
{
    guest.add_ram(0, 0x10000);
    guest.fill_pattern(0, 0x10000);
    const Region region = memory_at(0x10, 0x10, 0x10);
    const CoreReader core(assemble(compose({region}, guest)));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_load(core.loads[0], 0, 0, 0x1000);
    expect_holds(core, region);
}

TEST_F(ComposerTest, SegmentNeverWrapsAroundTheEndOfTheVirtualSpace)
{
    // Neighbours in physical memory, one at the last virtual page and one at the first.
    const std::vector<Region> regions = {memory_at(kRam, 0xfffffffffffff000, 0x1000),
                                         memory_at(kRam + 0x1000, 0, 0x1000)};
    const CoreReader core(assemble(compose(regions, guest)));
    EXPECT_EQ(core.loads.size(), 2u);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, RamInShortRunsIsPutTogether)
{
    const std::vector<Region> regions = {memory_at(kRam + 0x1234, kVirt + 0x1234, 0x4321),
                                         memory_at(kRam + 0x20000, 0xffffffc000000100, 0x7777)};
    const auto whole = assemble(compose(regions, guest));
    for (const std::uint64_t piece : {1u, 7u, 0x300u, 0x1000u}) {
        guest.split_runs(piece);
        const auto plan = compose(regions, guest);
        EXPECT_EQ(statuses(plan), (std::vector<int>{1, 1}));
        EXPECT_GE(plan.body.size(), (0x5000 + 0x7777) / piece);
        EXPECT_EQ(plan.file_size, whole.size());
        EXPECT_TRUE(assemble(plan) == whole) << "in runs of " << piece;
    }
    guest.split_runs(0);
    const CoreReader core(whole);
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, RegionAcrossTwoBlocksOfRamIsOneSegment)
{
    guest.add_ram(kRam + 0x100000, 0x10000);
    guest.fill_pattern(kRam + 0x100000, 0x10000);
    const CoreReader core(assemble(compose({memory_at(kRam + 0xff000, kVirt + 0xff000, 0x3000)}, guest)));
    ASSERT_EQ(core.loads.size(), 1u);
    auto truth = guest.bytes(kRam + 0xff000, 0x1000);
    const auto rest = guest.bytes(kRam + 0x100000, 0x2000);
    truth.insert(truth.end(), rest.begin(), rest.end());
    EXPECT_EQ(core.read_phys(kRam + 0xff000, 0x3000), truth);
}

TEST_F(ComposerTest, RegionThatIsNoLongerRamIsLeftOutAndTheOthersStay)
{
    guest.add_ram(0x50000000, 0x10000);
    const std::vector<Region> regions = {memory_at(kRam, kVirt, 0x1000),
                                         memory_at(0x50000000, kVirt + 0x10000000, 0x1000),
                                         memory_at(kRam + 0x2000, kVirt + 0x2000, 0x1000)};
    guest.unplug(0x50000000);
    const auto plan = compose(regions, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1, 18, 1}));
    const CoreReader core(assemble(plan));
    EXPECT_EQ(core.loads.size(), 2u);
    EXPECT_EQ(body_size(plan), 0x2000u);
    expect_holds(core, regions[0]);
    expect_holds(core, regions[2]);
}

TEST_F(ComposerTest, RegionsThatCanNotBeAreLeftOut)
{
    const auto plan =
        compose({memory_at(kRam, kVirt, 0), memory_at(kRam, ~0ull, 2), memory_at(~0ull, kVirt, 2),
                 memory_at(0x1000, kVirt, 1), memory_at(kRam, kVirt, 1)},
                guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{16, 17, 17, 18, 1}));
    EXPECT_EQ(CoreReader(plan.head).loads.size(), 1u);
}

// gdb takes a segment that begins with an ELF header for another core, and shows its CPUs.
TEST_F(ComposerTest, TheGuestsOwnElfHeaderStaysOut)
{
    const Region memory = memory_at(kRam + 0x5000, kVirt + 0x5000, 0x1000);
    const auto plan = compose({memory_at(kRam + 0x1000, kVirt + 0x1000, 0x1000, 1), memory}, guest);
    EXPECT_EQ(statuses(plan), (std::vector<int>{1, 1}));
    EXPECT_EQ(plan.regions, 1u);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 1u);
    expect_holds(core, memory);
}

TEST_F(ComposerTest, CpuNotesAreTakenAsTheyAre)
{
    std::vector<std::byte> notes(28, std::byte{0});
    notes[0] = std::byte{5}; // namesz
    notes[4] = std::byte{8}; // descsz
    notes[8] = std::byte{1}; // NT_PRSTATUS
    const char* name = "CORE";
    std::memcpy(&notes[12], name, 4);
    std::memcpy(&notes[20], "registrs", 8);
    const CoreReader core(compose({memory_at(kRam, kVirt, 1)}, guest, notes).head);
    ASSERT_EQ(core.others.size(), 1u);
    EXPECT_EQ(core.others[0].p_filesz, 28u);
    const auto found = core.notes();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, std::string("CORE\0", 5));
    EXPECT_EQ(found[0].type, 1u);
    EXPECT_EQ(found[0].text, "registrs");
}

TEST_F(ComposerTest, TheRegionsOfAWholeKernelAllArrive)
{
    std::vector<Region> regions;
    for (unsigned i = 0; i < 201; ++i) {
        regions.push_back(memory_at(kRam + i * 0x510, kVirt + i * 0x510, 0x40 + i * 7));
    }
    const auto plan = compose(regions, guest);
    EXPECT_EQ(plan.statuses.size(), 201u);
    const CoreReader core(assemble(plan));
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
    EXPECT_EQ(plan.file_size, plan.head.size() + body_size(plan));
}

TEST_F(ComposerTest, TenThousandSegmentsAllArrive)
{
    constexpr std::uint64_t kBase = 0x100000000;
    guest.add_ram(kBase, 20000 * 0x1000);
    std::vector<Region> regions;
    for (std::uint64_t i = 0; i < 10000; ++i) {
        const std::uint64_t page = (i * 7919 % 10000) * 2; // not in order
        guest.fill_pattern(kBase + page * 0x1000 + 0x800, 16);
        regions.push_back(memory_at(kBase + page * 0x1000 + 0x800, kVirt + page * 0x1000 + 0x800, 16));
    }
    const auto plan = compose(regions, guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 10000u);
    EXPECT_EQ(body_size(plan), 10000u * 0x1000);
    for (std::size_t i = 0; i < regions.size(); i += 97) {
        expect_holds(core, regions[i]);
    }
}

/// Each region is a segment of its own.
Plan compose_apart(FakeGuest& guest, std::uint64_t count)
{
    constexpr std::uint64_t kBase = 0x100000000;
    guest.add_ram(kBase, count * 0x2000);
    std::vector<Region> regions;
    for (std::uint64_t i = 0; i < count; ++i) {
        regions.push_back(memory_at(kBase + i * 0x2000, kVirt + i * 0x2000, 0x1000));
    }
    return compose(regions, guest);
}

TEST_F(ComposerTest, ProgramHeadersUpTo65534AreCountedInTheHeader)
{
    const CoreReader core(compose_apart(guest, 65533).head);
    EXPECT_EQ(core.header.e_phnum, 65534);
    EXPECT_EQ(core.header.e_shoff, 0u);
    EXPECT_EQ(core.header.e_shnum, 0);
    EXPECT_EQ(core.header.e_shentsize, 0);
    EXPECT_EQ(core.loads.size(), 65533u);
}

TEST_F(ComposerTest, MoreProgramHeadersAreCountedInSectionZero)
{
    for (const std::uint64_t count : {std::uint64_t{65534}, std::uint64_t{65535}}) {
        FakeGuest own;
        const Plan plan = compose_apart(own, count);
        const CoreReader core(plan.head);
        EXPECT_EQ(core.header.e_phnum, 0xffff) << "PN_XNUM";
        EXPECT_EQ(core.header.e_shnum, 1);
        EXPECT_EQ(core.header.e_shentsize, 64);
        EXPECT_EQ(core.header.e_shstrndx, 0);
        EXPECT_EQ(core.header.e_shoff, 64 + 56 * (count + 1)) << "right behind the program headers";
        ASSERT_EQ(core.loads.size(), count);
        EXPECT_EQ(core.others.at(0).p_offset, 64 + 56 * (count + 1) + 64) << "the notes come next";
        EXPECT_EQ(core.loads.back().p_paddr, 0x100000000 + (count - 1) * 0x2000);
        EXPECT_EQ(core.loads.back().p_offset, plan.head.size() + (count - 1) * 0x1000);
        EXPECT_EQ(plan.file_size, plan.head.size() + count * 0x1000);
        EXPECT_EQ(body_size(plan), count * 0x1000);
        // The section header has nothing but the count.
        Elf64_Shdr section;
        std::memcpy(&section, plan.head.data() + core.header.e_shoff, sizeof(section));
        EXPECT_EQ(section.sh_info, count + 1);
        EXPECT_EQ(section.sh_type, 0u);
        EXPECT_EQ(section.sh_size, 0u);
        EXPECT_EQ(section.sh_link, 0u);
    }
}

/// RAM of which nothing is left after `maps` look-ups.
class VanishingGuest final : public kmd::GuestMemory
{
  public:
    VanishingGuest(FakeGuest& guest, unsigned maps) : guest_(guest), left_(maps) {}
    std::optional<std::uint64_t> next_ram(std::uint64_t /*phys*/) override { return std::nullopt; }
    std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
    {
        if (left_ == 0) {
            return {};
        }
        --left_;
        return guest_.map(phys, size);
    }

  private:
    FakeGuest& guest_;
    unsigned left_;
};

TEST_F(ComposerTest, MemoryThatVanishesWhileComposingShiftsNothing)
{
    const std::vector<Region> regions = {memory_at(kRam, kVirt, 0x3000),
                                         memory_at(kRam + 0x8000, kVirt + 0x8000, 0x2000)};
    std::set<std::uint64_t> sizes;
    for (unsigned maps = 0; maps < 12; ++maps) {
        VanishingGuest vanishing(guest, maps);
        const auto plan = compose(regions, vanishing);
        EXPECT_EQ(plan.file_size, plan.head.size() + body_size(plan)) << maps;
        const CoreReader core(plan.head);
        for (const auto& load : core.loads) {
            EXPECT_LE(load.p_offset + load.p_filesz, plan.file_size) << maps;
        }
        sizes.insert(plan.file_size);
    }
    EXPECT_TRUE(sizes.contains(0x1000)) << "nothing was RAM from the start";
    EXPECT_TRUE(sizes.contains(0x6000)) << "all was RAM to the end";
}

TEST_F(ComposerTest, ComposingTwiceGivesTheSame)
{
    std::vector<Region> regions = {memory_at(kRam + 0x123, kVirt + 0x123, 0x3000),
                                   memory_at(kRam + 0x123, kVirt + 0x40000123, 0x1000),
                                   memory_at(kRam + 0x8000, kVirt + 0x8000, 0x2000)};
    const auto first = assemble(compose(regions, guest));
    std::swap(regions[0], regions[2]);
    EXPECT_TRUE(assemble(compose(regions, guest)) == first) << "whatever the order of the slots";
}

Region named(const char* name, std::uint64_t offset, std::uint64_t size)
{
    Region region = memory_at(kRam + offset, kVirt + offset, size);
    std::copy_n(name, std::min(std::strlen(name), region.name.size()), region.name.begin());
    return region;
}

/// A region that the guest marks as worth more than the rest.
Region vital(const char* name, std::uint64_t offset, std::uint64_t size)
{
    Region region = named(name, offset, size);
    region.vital = true;
    return region;
}

/// Where in the file the byte at `offset` into RAM is.
std::uint64_t place_of(const Plan& plan, std::uint64_t offset)
{
    for (const auto& segment : plan.segments) {
        if (kRam + offset - segment.phys < segment.size) {
            return segment.file_offset + (kRam + offset - segment.phys);
        }
    }
    throw std::out_of_range("in no segment");
}

TEST_F(ComposerTest, LogThenStacksThenTablesComeAheadOfTheRestInTheFile)
{
    const std::vector<Region> regions = {named("first", 0, 0x3000),
                                         vital("prb", 0x10000, 8),
                                         vital("prb_descs", 0x20000, 8),
                                         vital("prb_infos", 0x30000, 8),
                                         vital("prb_data", 0x40000, 8),
                                         vital("printk_rb_static", 0x50000, 8),
                                         vital("printk_rb_dynamic", 0x60000, 8),
                                         named("prb_data", 0x70000, 8)};
    const std::vector<Region> stacks = {memory_at(kRam + 0x90000, kVirt + 0x90000, 0x1000)};
    const std::vector<Region> tables = {memory_at(kRam + 0x80000, kVirt + 0x80000, 0x1000)};
    kmd::Machine machine;
    machine.elf_machine = 183;
    kmd::Snapshot snapshot = kmd::read_regions(regions, machine, guest);
    snapshot.stacks = stacks;
    snapshot.tables = tables;
    const Plan plan = kmd::compose_core_image(snapshot, guest, machine);
    std::uint64_t expected = plan.head.size();
    for (const std::uint64_t offset :
         {0x10000, 0x20000, 0x30000, 0x40000, 0x50000, 0x60000, 0x90000, 0x80000, 0x0, 0x70000}) {
        EXPECT_EQ(place_of(plan, offset), expected) << std::hex << offset;
        expected += offset == 0 ? 0x3000 : 0x1000;
        if (offset == 0x90000) {
            EXPECT_EQ(plan.vital_size, expected) << "log and stacks";
        }
    }
    const CoreReader core(assemble(plan));
    for (std::size_t i = 1; i < core.loads.size(); ++i) {
        EXPECT_LT(core.loads[i - 1].p_paddr, core.loads[i].p_paddr) << "the headers keep their order";
    }
    for (const Region& region : regions) {
        expect_holds(core, region);
    }
}

TEST_F(ComposerTest, VmcoreinfoIsPartOfTheLog)
{
    const auto plan = compose({named("first", 0, 0x1000), vmcoreinfo("PAGESIZE=4096\n")}, guest);
    EXPECT_EQ(plan.segments.at(1).file_offset, plan.head.size());
}

TEST_F(ComposerTest, WithoutALogTheHeadIsVital)
{
    const auto plan = compose({named("first", 0, 0x1000)}, guest);
    EXPECT_EQ(plan.vital_size, plan.head.size());
}

TEST_F(ComposerTest, LogAmongItsNeighboursStaysOneSegmentWithThem)
{
    const auto plan = compose({named("all", 0, 0x100000), vital("prb_data", 0x8000, 0x1000)}, guest);
    EXPECT_EQ(plan.segments.size(), 1u);
    EXPECT_EQ(plan.vital_size, plan.file_size);
}

TEST_F(ComposerTest, LogInsideALargeRegionIsCutOutAndWrittenFirst)
{
    constexpr std::uint64_t kLarge = 0x100000;
    guest.add_ram(kRam + 0x1000000, 16 * kLarge);
    guest.fill_pattern(kRam + 0x1000000, 16 * kLarge);
    const std::uint64_t base = 0x1000000;
    const std::vector<Region> regions = {named("all", base, 16 * kLarge), vital("prb_infos", base, 0x10),
                                         vital("prb_data", base + 7 * kLarge, 0x5000),
                                         vital("prb_descs", base + 7 * kLarge + 0x4000, 0x2000),
                                         vital("prb", base + 16 * kLarge - 8, 8)};
    const auto plan = compose(regions, guest);
    const CoreReader core(assemble(plan));
    ASSERT_EQ(core.loads.size(), 5u);
    EXPECT_EQ(plan.vital_size, plan.head.size() + 0x1000 + 0x6000 + 0x1000);
    EXPECT_EQ(body_size(plan), 16 * kLarge) << "no byte twice";
    for (std::size_t i = 1; i < regions.size(); ++i) {
        expect_holds(core, regions[i]);
        EXPECT_LT(place_of(plan, regions[i].phys - kRam), plan.vital_size);
    }
    std::uint64_t next = kRam + base;
    for (const auto& load : core.loads) {
        EXPECT_EQ(load.p_paddr, next) << "all of the large region is there";
        expect_holds(core, memory_at(load.p_paddr, load.p_vaddr, load.p_filesz));
        next += load.p_filesz;
    }
    EXPECT_EQ(next, kRam + base + 16 * kLarge);
}

TEST_F(ComposerTest, TwoViewsOfALargeRegionAreCutAtTheSameBytes)
{
    constexpr std::uint64_t kBase = 0x1000000;
    guest.add_ram(kRam + kBase, 0x400000);
    guest.fill_pattern(kRam + kBase, 0x400000);
    auto view = named("view", kBase, 0x400000);
    view.virt = 0x2000000000;
    const Plan plan =
        compose({named("all", kBase, 0x400000), view, vital("prb_data", kBase + 0x200000, 0x3000)}, guest);
    EXPECT_EQ(plan.segments.size(), 6u);
    EXPECT_EQ(body_size(plan), 0x400000u);
    const CoreReader core(assemble(plan));
    for (const auto& load : core.loads) {
        expect_holds(core, memory_at(load.p_paddr, load.p_vaddr, load.p_filesz));
    }
}

TEST_F(ComposerTest, RandomTablesHoldEveryRegionAndStoreNoByteTwice)
{
    guest.add_ram(0x50000000, 0x11800);
    guest.fill_pattern(0x50000000, 0x11800);
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        // Views that do not touch each other, so that a virtual address means one thing.
        constexpr std::uint64_t kViews[] = {kDelta, 0x1000000000, 0x2000000010, 0x3000001000};
        std::vector<Region> regions;
        const std::size_t count = random() % 30;
        for (std::size_t i = 0; i < count; ++i) {
            const bool second = random() % 2 == 0;
            const std::uint64_t size = 1 + random() % 0x1800;
            const std::uint64_t phys =
                (second ? 0x50000000 : kRam) + random() % ((second ? 0x11800 : 0x40000) - size);
            regions.push_back(memory_at(phys, phys + kViews[random() % 4], size));
            if (random() % 4 == 0) {
                regions.back().name = {'p', 'r', 'b'};
            }
        }
        guest.split_runs(random() % 2 == 0 ? 0 : 16 + random() % 0x2000);
        const auto plan = compose(regions, guest);
        const CoreReader core(assemble(plan));
        guest.split_runs(0);
        EXPECT_EQ(statuses(plan), std::vector<int>(count, 1)) << "seed " << seed;
        for (const Region& region : regions) {
            expect_holds(core, region);
        }
        // All segments agree where in the file a physical byte lies, and each byte lies there once.
        std::vector<std::uint64_t> ram_offset(0x42000);
        std::vector<std::uint64_t> second_offset(0x12000);
        std::uint64_t stored = 0;
        for (const auto& load : core.loads) {
            auto& offsets = load.p_paddr < 0x50000000 ? ram_offset : second_offset;
            const std::uint64_t base = load.p_paddr % 0x10000000;
            for (std::uint64_t i = 0; i < load.p_filesz; ++i) {
                std::uint64_t& offset = offsets.at(base + i);
                stored += offset == 0 ? 1 : 0;
                ASSERT_TRUE(offset == 0 || offset == load.p_offset + i) << "seed " << seed;
                offset = load.p_offset + i;
            }
        }
        EXPECT_EQ(body_size(plan), stored) << "seed " << seed;
    }
}

} // namespace
