// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the commit protocol: sections 5 and 6 of docs/register-spec.md, through the window.
#include "core_reader.h"
#include "cpu_time.h"
#include "test_machine.h"
#include "worst_tables.h"

#include <gtest/gtest.h>

#include <vector>

namespace
{

using kmd::test::bytes_of;
using kmd::test::CoreReader;
using kmd::test::GuestRegion;
using kmd::test::kHole;
using kmd::test::kRam;
using kmd::test::kRamSize;
using kmd::test::kVirt;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TestMachine;

std::uint32_t region_count(TestMachine& m)
{
    return m.read32(0x02c);
}

std::uint32_t free_slot(TestMachine& m)
{
    return m.read32(0x030);
}

kmd::Config limited(std::uint64_t slots, std::uint64_t max_regions)
{
    auto config = small_config();
    config.slots = slots;
    config.max_regions = max_regions;
    return config;
}

TEST(Commit, MakesAFilledSlotARegion)
{
    TestMachine m;
    m.fill_slot(0, ram_region(0, 0x1000, 1));
    EXPECT_EQ(m.slot_valid(0), 0u);
    EXPECT_EQ(m.slot_status(0), 0u);
    EXPECT_EQ(region_count(m), 0u);
    EXPECT_EQ(m.commit(0), 1u);
    EXPECT_EQ(m.slot_valid(0), 1u);
    EXPECT_EQ(region_count(m), 1u);
    EXPECT_EQ(free_slot(m), 1u);
    EXPECT_TRUE(m.host.guest_errors.empty());
}

TEST(Commit, IsNeededBeforeATriggerSeesTheSlot)
{
    TestMachine m;
    m.fill_slot(0, ram_region(0, 0x1000, 1));
    EXPECT_EQ(free_slot(m), 0u);
    m.dump();
    EXPECT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
    EXPECT_TRUE(names_in(m.folder.path()).empty());

    ASSERT_EQ(m.add(1, ram_region(0x8000, 0x1000, 2)), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 1u);
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS";
    const auto names = names_in(m.folder.path());
    ASSERT_EQ(names.size(), 1u);
    const CoreReader core(bytes_of(m.folder / names[0]));
    EXPECT_TRUE(core.read_phys(kRam + 0x8000, 0x1000));
    EXPECT_FALSE(core.read_phys(kRam, 1));
}

TEST(Commit, FreezesEveryField)
{
    TestMachine m;
    ASSERT_EQ(m.add(2, {kRam, kVirt, 0x1000, "sixteen_letters_", 77, 2}), 1u);
    std::uint32_t errors = 0;
    for (std::uint64_t offset = 0; offset < 0x30; offset += 4) {
        const auto before = m.read32(TestMachine::slot(2) + offset);
        m.write32(TestMachine::slot(2) + offset, ~before);
        EXPECT_EQ(m.read32(TestMachine::slot(2) + offset), before) << offset;
        EXPECT_EQ(m.guest_errors(), ++errors) << offset;
    }
    for (const std::uint64_t offset : {0x00u, 0x08u, 0x10u}) {
        const auto before = m.read64(TestMachine::slot(2) + offset);
        m.write64(TestMachine::slot(2) + offset, ~before);
        EXPECT_EQ(m.read64(TestMachine::slot(2) + offset), before) << offset;
        EXPECT_EQ(m.guest_errors(), ++errors) << "one 64-bit register, one error: " << offset;
    }
    EXPECT_EQ(m.slot_valid(2), 1u);
    EXPECT_EQ(m.slot_status(2), 1u);
}

TEST(Commit, OfAValidSlotIsAGuestErrorWithoutEffect)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 5)), 1u);
    EXPECT_EQ(m.commit(0), 1u) << "not SLOT_DUPLICATE or SLOT_OK_OVERLAP of itself";
    EXPECT_EQ(m.guest_errors(), 1u);
    EXPECT_EQ(region_count(m), 1u);
    m.invalidate(0);
    EXPECT_EQ(region_count(m), 0u);
}

TEST(Invalidate, KeepsTheFieldsAndMakesTheSlotEmpty)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kRam, kVirt, 0x1000, "abcdefghijklmnop", 9, 0}), 1u);
    m.invalidate(0);
    EXPECT_EQ(m.slot_valid(0), 0u);
    EXPECT_EQ(m.slot_status(0), 0u);
    EXPECT_EQ(region_count(m), 0u);
    EXPECT_EQ(free_slot(m), 0u);
    EXPECT_EQ(m.read64(0x1000), 0x40000000u);
    EXPECT_EQ(m.read64(0x1008), 0xffff800000000000u);
    EXPECT_EQ(m.read64(0x1010), 0x1000u);
    EXPECT_EQ(m.read64(0x1018), 0x6867666564636261u) << "abcdefgh";
    EXPECT_EQ(m.read64(0x1020), 0x706f6e6d6c6b6a69u) << "ijklmnop";
    EXPECT_EQ(m.read32(0x1028), 9u);
    EXPECT_EQ(m.commit(0), 1u) << "as it is";
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Invalidate, LetsTheFieldsChangeAgain)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.invalidate(0);
    m.write64(0x1000, kHole);
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.commit(0), 18u);
    EXPECT_EQ(region_count(m), 0u);
}

TEST(Invalidate, OfASlotThatIsNotValidOnlyEmptiesItsStatus)
{
    TestMachine m;
    m.invalidate(3);
    EXPECT_EQ(m.slot_status(3), 0u);
    ASSERT_EQ(m.add(3, ram_region(0, 0, 4)), 16u);
    m.invalidate(3);
    EXPECT_EQ(m.slot_status(3), 0u);
    EXPECT_EQ(region_count(m), 0u);
    EXPECT_EQ(m.read32(TestMachine::slot(3) + 0x28), 4u);
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Rejection, LeavesTheSlotInvalidWithItsFieldsToBeCorrected)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kHole, kVirt, 0x1000, "wrong", 3, 0}), 18u);
    EXPECT_EQ(m.slot_valid(0), 0u);
    EXPECT_EQ(region_count(m), 0u);
    EXPECT_EQ(free_slot(m), 0u);
    EXPECT_EQ(m.read64(0x1000), kHole);
    EXPECT_EQ(m.read32(0x1028), 3u);
    m.write64(0x1000, kRam);
    EXPECT_EQ(m.commit(0), 1u);
}

TEST(Rejection, CostsOnlyThatRegion)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0, 0, 2)), 16u);
    ASSERT_EQ(m.add(2, ram_region(0x1000, 0x1000, 3)), 1u);
    EXPECT_EQ(region_count(m), 2u);
    EXPECT_EQ(free_slot(m), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x2000, 0x1000, 2)), 1u) << "the rejected id was not taken";
}

TEST(Rejection, OfAnyReservedFlag)
{
    TestMachine m;
    for (unsigned bit = 10; bit < 32; ++bit) {
        auto region = ram_region(0, 0x1000);
        region.flags = 1u << bit;
        EXPECT_EQ(m.add(0, region), 19u) << "bit " << bit;
    }
    EXPECT_EQ(m.guest_errors(), 0u) << "FLAGS may be written, only the commit fails";
}

TEST(Rejection, OfEveryKindThatIsNotDefined)
{
    TestMachine m;
    for (std::uint32_t kind = 0; kind < 256; ++kind) {
        auto region = ram_region(0, 0x1000);
        region.flags = kind;
        EXPECT_EQ(m.add(0, region), kind <= 3 ? 1u : 19u) << "kind " << kind;
        m.invalidate(0);
    }
}

TEST(Rejection, OfSizeZero)
{
    TestMachine m;
    EXPECT_EQ(m.add(0, ram_region(0, 0)), 16u);
    EXPECT_EQ(m.add(0, {0, 0, 0, "", 0, 0}), 16u);
}

TEST(Rejection, OfRangesThatWrap)
{
    TestMachine m;
    m.host.guest.add_ram(0xfffffffffffff000, 0x1000);
    EXPECT_EQ(m.add(0, {0xfffffffffffff000, kVirt, 0x1001, "phys", 0, 0}), 17u);
    EXPECT_EQ(m.add(0, {0xffffffffffffffff, kVirt, 2, "phys", 0, 0}), 17u);
    EXPECT_EQ(m.add(0, {kRam, 0xfffffffffffff000, 0x1001, "virt", 0, 0}), 17u);
    EXPECT_EQ(m.add(0, {kRam, kVirt, 0xffffffffffffffff, "size", 0, 0}), 17u);
    EXPECT_EQ(m.add(0, {1, 0, 0xffffffffffffffff, "ends with the space", 0, 0}), 18u);
    EXPECT_EQ(m.add(0, {0xfffffffffffff000, 0xfffffffffffff000, 0x1000, "last page", 0, 0}), 1u);
    EXPECT_EQ(m.add(1, {0xffffffffffffffff, 0xffffffffffffffff, 1, "last byte", 0, 0}), 2u);
}

TEST(Rejection, OfAnyByteThatIsNotRam)
{
    TestMachine m;
    EXPECT_EQ(m.add(0, {kHole, kVirt, 1, "hole", 0, 0}), 18u);
    EXPECT_EQ(m.add(0, {kRam - 1, kVirt, 2, "before", 0, 0}), 18u);
    EXPECT_EQ(m.add(0, {kRam + kRamSize - 1, kVirt, 2, "behind", 0, 0}), 18u);
    m.host.guest.add_ram(kRam + kRamSize + 0x1000, 0x1000);
    EXPECT_EQ(m.add(0, {kRam + kRamSize - 0x1000, kVirt, 0x3000, "hole inside", 0, 0}), 18u);
    EXPECT_EQ(m.add(0, {kRam, kVirt, kRamSize, "all", 0, 0}), 1u);
    m.host.guest.add_ram(kRam + kRamSize, 0x1000);
    EXPECT_EQ(m.add(1, {kRam + kRamSize - 1, kVirt, 2, "two blocks", 0, 0}), 2u);
}

TEST(Rejection, OfAnIdThatAnotherValidSlotHas)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 6)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x1000, 6)), 20u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x1000, 0xffffffff)), 1u);
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x1000, 0xffffffff)), 20u);
    m.invalidate(0);
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x1000, 6)), 1u) << "the id is free";
    EXPECT_EQ(m.commit(0), 20u) << "and taken again";
}

TEST(Rejection, DoesNotKnowIdZero)
{
    TestMachine m;
    EXPECT_EQ(m.add(0, ram_region(0, 0x1000, 0)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x1000, 0)), 1u);
    m.invalidate(0);
    EXPECT_EQ(m.commit(0), 1u);
}

TEST(Rejection, OfASecondElfHeaderVmcoreinfoOrList)
{
    for (const std::uint32_t kind : {1u, 2u, 3u}) {
        TestMachine m;
        auto region = ram_region(0, 0x1000, 1);
        region.flags = kind;
        ASSERT_EQ(m.add(0, region), 1u);
        auto second = ram_region(0x1000, 0x1000, 2);
        second.flags = kind;
        EXPECT_EQ(m.add(1, second), 20u);
        second.flags = kind % 3 + 1;
        EXPECT_EQ(m.add(1, second), 1u) << "one of each";
        EXPECT_EQ(m.add(2, ram_region(0x2000, 0x1000, 3)), 1u) << "memory as often as one likes";
        EXPECT_EQ(m.add(3, ram_region(0x3000, 0x1000, 4)), 1u);
        m.invalidate(0);
        auto third = ram_region(0x4000, 0x1000, 5);
        third.flags = kind;
        EXPECT_EQ(m.add(4, third), 1u) << "the kind is free again";
    }
}

TEST(Rejection, ReportsTheFirstCheckThatFails)
{
    TestMachine m(limited(8, 2));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x1000, 0x1000, 2)), 1u);
    // Everything is wrong; then one thing after the other is put right.
    GuestRegion region{kHole, 0xfffffffffffff800, 0, "x", 1, 0x400};
    EXPECT_EQ(m.add(2, region), 19u) << "BAD_FLAGS before BAD_SIZE";
    region.flags = 4;
    EXPECT_EQ(m.add(2, region), 19u) << "BAD_FLAGS before BAD_SIZE";
    region.flags = 0;
    EXPECT_EQ(m.add(2, region), 16u) << "BAD_SIZE before NOT_RAM";
    region.size = 0x1000;
    EXPECT_EQ(m.add(2, region), 17u) << "WRAPS before NOT_RAM";
    region.virt = kVirt;
    EXPECT_EQ(m.add(2, region), 18u) << "NOT_RAM before DUPLICATE";
    region.phys = kRam;
    EXPECT_EQ(m.add(2, region), 20u) << "DUPLICATE before TABLE_FULL";
    region.id = 3;
    EXPECT_EQ(m.add(2, region), 21u) << "TABLE_FULL before OK_OVERLAP";
    m.invalidate(1);
    EXPECT_EQ(m.commit(2), 2u) << "OK_OVERLAP";
}

TEST(Rejection, ChecksFlagsBeforeWrapAndRam)
{
    TestMachine m;
    EXPECT_EQ(m.add(0, {kRam, 0xffffffffffffffff, 2, "", 0, 0x400}), 19u);
    EXPECT_EQ(m.add(0, {kHole, kVirt, 1, "", 0, 0x400}), 19u);
}

TEST(Overlap, IsSaidOfTheLaterRegionOnly)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0x2000, 0x1000)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x2000, 0x1000)), 2u) << "the same";
    EXPECT_EQ(m.add(2, ram_region(0x2800, 0x10)), 2u) << "inside";
    EXPECT_EQ(m.add(3, ram_region(0x1000, 0x3000)), 2u) << "around";
    EXPECT_EQ(m.slot_status(0), 1u);
    EXPECT_EQ(region_count(m), 4u);
}

TEST(Overlap, NeedsASharedByte)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0x2000, 0x1000)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x1000)), 1u) << "ends where the other begins";
    EXPECT_EQ(m.add(2, ram_region(0x3000, 0x1000)), 1u) << "begins where the other ends";
    EXPECT_EQ(m.add(3, ram_region(0x3fff, 0x10)), 2u) << "one byte";
    EXPECT_EQ(m.add(4, ram_region(0x0ff0, 0x11)), 2u) << "one byte";
}

TEST(Overlap, CountsPhysicalAddressesNotVirtualOnes)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kRam, kVirt, 0x1000, "", 0, 0}), 1u);
    EXPECT_EQ(m.add(1, {kRam + 0x1000, kVirt, 0x1000, "", 0, 0}), 1u);
    EXPECT_EQ(m.add(2, {kRam, kVirt + 0x100000, 0x1000, "", 0, 0}), 2u);
}

TEST(Overlap, EndsWhenTheOtherRegionsAreInvalid)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x3000)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x1000, 0x1000)), 2u);
    m.invalidate(0);
    EXPECT_EQ(m.slot_status(1), 2u) << "a status tells of the commit";
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x1000)), 1u);
    EXPECT_EQ(m.add(3, ram_region(0x1fff, 1)), 2u);
    m.invalidate(1);
    m.invalidate(3);
    EXPECT_EQ(m.commit(3), 1u);
}

TEST(FreeSlot, IsTheLowestThatIsNotValid)
{
    TestMachine m(limited(130, 0));
    for (std::uint32_t i = 0; i < 130; ++i) {
        ASSERT_EQ(free_slot(m), i);
        ASSERT_EQ(m.add(i, ram_region(i * 0x1000, 0x1000, i + 1)), 1u);
    }
    EXPECT_EQ(free_slot(m), 0xffffffffu);
    EXPECT_EQ(region_count(m), 130u);
    for (const std::uint32_t i : {129u, 127u, 64u, 63u, 0u}) {
        m.invalidate(i);
        EXPECT_EQ(free_slot(m), i);
    }
    EXPECT_EQ(m.commit(0), 1u);
    EXPECT_EQ(free_slot(m), 63u);
}

TEST(FreeSlot, OfATableWithOneSlot)
{
    TestMachine m(limited(1, 0));
    EXPECT_EQ(free_slot(m), 0u);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    EXPECT_EQ(free_slot(m), 0xffffffffu);
}

TEST(MaxRegions, MakesTheTableFullBeforeItsSlotsAreUsedUp)
{
    TestMachine m(limited(8, 3));
    EXPECT_EQ(m.read32(0x010), 8u) << "SLOT_COUNT";
    for (std::uint32_t i = 0; i < 3; ++i) {
        ASSERT_EQ(m.add(2 * i, ram_region(i * 0x1000, 0x1000, i + 1)), 1u);
    }
    EXPECT_EQ(free_slot(m), 0xffffffffu);
    EXPECT_EQ(m.add(7, ram_region(0x8000, 0x1000, 9)), 21u);
    EXPECT_EQ(region_count(m), 3u);
    m.invalidate(2);
    EXPECT_EQ(free_slot(m), 1u);
    EXPECT_EQ(m.commit(7), 1u);
    EXPECT_EQ(free_slot(m), 0xffffffffu);
}

TEST(ResetTable, InvalidatesAndClearsEverySlot)
{
    TestMachine m;
    auto vmcoreinfo = ram_region(0, 0x1000, 1);
    vmcoreinfo.flags = 2;
    ASSERT_EQ(m.add(0, vmcoreinfo), 1u);
    ASSERT_EQ(m.add(15, ram_region(0x1000, 0x1000, 2)), 1u);
    ASSERT_EQ(m.add(7, ram_region(0, 0, 3)), 16u);
    m.read32(0x038);
    m.write32(0x028, 1);
    EXPECT_EQ(region_count(m), 0u);
    EXPECT_EQ(free_slot(m), 0u);
    for (std::uint64_t offset = 0x1000; offset < 0x1400; offset += 8) {
        EXPECT_EQ(m.read64(offset), 0u) << offset;
    }
    EXPECT_EQ(m.guest_errors(), 1u) << "unlike a reset of the machine";
    EXPECT_EQ(m.add(3, vmcoreinfo), 1u) << "id, kind and memory are free again";
}

TEST(RegionTable, CommitCostsTheSameHoweverTheOtherRegionsLie)
{
    constexpr int kChanges = 2000;
    for (const auto& layout : kmd::test::layouts()) {
        TestMachine m(kmd::test::with_most_slots());
        kmd::test::fill_table(m, layout, 1);
        m.fill_slot(0, ram_region(0, kmd::test::kRamSize));
        const double start = kmd::test::cpu_seconds();
        for (int i = 0; i < kChanges; ++i) {
            ASSERT_EQ(m.commit(0), 2u) << layout.name;
            m.invalidate(0);
        }
        EXPECT_LT(kmd::test::cpu_seconds() - start, kChanges * 200e-6) << layout.name;
    }
}

TEST(RegionTable, HoldsAsManyRegionsAsThereCanBeSlots)
{
    TestMachine m(limited(65536, 0));
    for (std::uint32_t i = 0; i < 65536; ++i) {
        ASSERT_EQ(m.add(i, ram_region(i * 16, 16, i + 1)), 1u) << i;
    }
    EXPECT_EQ(region_count(m), 65536u);
    EXPECT_EQ(free_slot(m), 0xffffffffu);
    m.invalidate(65535);
    EXPECT_EQ(free_slot(m), 65535u);
}

TEST(Log, NamesTheSlotTheRegionAndTheCause)
{
    TestMachine m;
    ASSERT_EQ(m.add(11, {kHole, kVirt, 0x1234, "jiffies", 0, 0}), 18u);
    ASSERT_EQ(m.host.guest_errors.size(), 1u);
    const std::string& line = m.host.guest_errors[0];
    EXPECT_NE(line.find("slot 11"), std::string::npos) << line;
    EXPECT_NE(line.find("jiffies"), std::string::npos) << line;
    EXPECT_NE(line.find("0x10000000"), std::string::npos) << line;
    EXPECT_NE(line.find("0x1234"), std::string::npos) << line;
    EXPECT_NE(line.find("RAM"), std::string::npos) << line;
}

TEST(Log, EachRejectionHasWordsOfItsOwn)
{
    TestMachine m(limited(8, 1));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    const std::vector<std::pair<GuestRegion, std::uint32_t>> cases = {
        {{kRam, kVirt, 0x1000, "r", 0, 0x400}, 19}, {{kRam, kVirt, 0, "r", 0, 0}, 16},
        {{kRam, ~0ull, 0x1000, "r", 0, 0}, 17},     {{kHole, kVirt, 0x1000, "r", 0, 0}, 18},
        {{kRam, kVirt, 0x1000, "r", 1, 0}, 20},     {{kRam, kVirt, 0x1000, "r", 2, 0}, 21},
    };
    std::vector<std::string> causes;
    for (const auto& [region, status] : cases) {
        EXPECT_EQ(m.add(1, region), status);
        const std::string line = m.host.guest_errors.back();
        causes.push_back(line.substr(line.rfind("): ")));
    }
    EXPECT_EQ(m.host.guest_errors.size(), cases.size());
    std::sort(causes.begin(), causes.end());
    EXPECT_EQ(std::unique(causes.begin(), causes.end()), causes.end());
}

TEST(Log, ShowsNoControlCharacterOfANameFromTheGuest)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kHole, kVirt, 1,
                        "\x1b[2J\r\n\x7f\x80\xff"
                        "ok",
                        0, 0}),
              18u);
    ASSERT_EQ(m.host.guest_errors.size(), 1u);
    const std::string& line = m.host.guest_errors[0];
    for (const char c : line) {
        EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << line;
    }
    EXPECT_NE(line.find("?[2J?????ok"), std::string::npos) << line;
}

TEST(Log, ShowsANameOfSixteenBytesWhole)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kHole, kVirt, 1, "0123456789abcdef", 0xffffffff, 0}), 18u);
    EXPECT_NE(m.host.guest_errors.at(0).find("'0123456789abcdef'"), std::string::npos);
}

TEST(Commit, CanBeA64BitStore)
{
    TestMachine m;
    m.fill_slot(0, ram_region(0, 8));
    m.write64(TestMachine::slot(0) + 0x38, 1);
    EXPECT_EQ(m.slot_valid(0), 1u);
    EXPECT_EQ(m.guest_errors(), 0u);
    m.write32(TestMachine::slot(0) + 0x3c, 1);
    EXPECT_EQ(m.guest_errors(), 1u) << "the reserved half takes only 0";
}

} // namespace
