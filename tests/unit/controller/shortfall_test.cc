// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the promise that a dump never claims more than it has: whatever the guest wanted saved and the
// file lacks makes the result partial, and is in the sidecar and in the line for the person at the host.
#include "cpu_notes.h"
#include "guest_elf_header.h"
#include "test_machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace
{

using kmd::test::bytes_of;
using kmd::test::kHole;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::ram_region;
using kmd::test::TestMachine;
using Json = nlohmann::json;

constexpr std::uint32_t kComplete = 1;
constexpr std::uint32_t kPartial = 2;

kmd::Config with_sidecar(std::uint64_t max_regions = 0)
{
    auto config = kmd::test::small_config();
    config.sidecar = true;
    config.max_regions = max_regions;
    return config;
}

/// Takes a dump and returns its sidecar.
Json dump(TestMachine& m, std::uint32_t reason = 2)
{
    m.dump(reason);
    const std::string path = m.controller->last_file() + ".json";
    const auto bytes = bytes_of(path);
    return Json::parse(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

TEST(Shortfall, OfARegionThatTheGuestsOwnHeaderDoesNotDescribeIsPartialWhenThatIsTheFormat)
{
    for (const bool second : {false, true}) {
        auto config = with_sidecar();
        config.format = "coreimage";
        TestMachine m(config);
        const kmd::test::GuestRegion described[] = {
            {kRam + 0x3000, kVirt + 0x3000, 0x1000, "described", 1, 0}};
        m.host.guest.put(kRam, kmd::test::guest_elf_header(described, 0x400));
        ASSERT_EQ(m.add(0, {kRam, kVirt, 0x400, "ELF", 0, 1}), 1u);
        ASSERT_EQ(m.add(1, described[0]), 1u);
        if (second) {
            ASSERT_EQ(m.add(2, {kRam + 0x5000, kVirt + 0x5000, 0x1000, "forgotten", 2, 0}), 1u);
        }
        const Json json = dump(m);
        EXPECT_EQ(json["format"], "coreimage");
        EXPECT_EQ(json["result"], second ? "partial" : "complete");
        EXPECT_EQ(json["regions_not_described"], second ? 1 : 0);
        EXPECT_EQ(m.last_result(), second ? kPartial : kComplete);
    }
}

TEST(Shortfall, OfNothingIsAComplete)
{
    TestMachine m(with_sidecar());
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    EXPECT_EQ(dump(m)["result"], "complete");
    EXPECT_EQ(m.last_result(), kComplete);
}

TEST(Shortfall, OfATableThatIsFullIsPartialAndNamesTheRegion)
{
    TestMachine m(with_sidecar(1));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        auto region = ram_region(0x2000 + 0x1000 * i, 0x1000, 10 + i);
        region.name = "more" + std::to_string(i);
        ASSERT_EQ(m.add(1, region), 21u) << "one slot is tried again and again";
    }
    const Json json = dump(m);
    EXPECT_EQ(json["result"], "partial");
    EXPECT_EQ(m.last_result(), kPartial);
    EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED: no valid slot was left out";
    EXPECT_EQ(json["regions_refused"], 3);
    ASSERT_EQ(json["left_out"].size(), 3u);
    EXPECT_EQ(json["left_out"][2], Json::parse(R"({"name":"more2","phys":"0x40004000","size":4096,)"
                                               R"("reason":"the table is full"})"));
    EXPECT_NE(m.host.reports.back().find(", 3 regions refused"), std::string::npos) << m.host.reports.back();
}

TEST(Shortfall, OfACommitThatPassedLaterIsNone)
{
    TestMachine m(with_sidecar(1));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x2000, 0x1000, 2)), 21u);
    m.invalidate(0);
    ASSERT_EQ(m.add(7, ram_region(0x2000, 0x1000, 2)), 1u) << "in another slot";
    EXPECT_EQ(dump(m)["result"], "complete");
}

TEST(Shortfall, OfMoreRefusedRegionsThanAreListedIsCounted)
{
    TestMachine m(with_sidecar(1));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    for (std::uint32_t i = 0; i < 100; ++i) {
        ASSERT_EQ(m.add(1, ram_region(8 * i, 8, 10 + i)), 21u);
    }
    const Json json = dump(m);
    EXPECT_EQ(json["regions_refused"], 100);
    EXPECT_EQ(json["left_out"].size(), 64u);
}

TEST(Shortfall, ThatTheGuestCountsItselfIsPartial)
{
    for (const std::uint64_t offset : {0x064, 0x068}) {
        TestMachine m(with_sidecar());
        ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
        m.write32(offset, 25);
        const Json json = dump(m);
        EXPECT_EQ(m.last_result(), kPartial);
        EXPECT_EQ(json["regions_not_registered"], offset == 0x064 ? 25 : 0);
        EXPECT_EQ(json["extents_not_listed"], offset == 0x068 ? 25 : 0);
        m.write32(offset, 0);
        EXPECT_EQ(dump(m)["result"], "complete") << "the guest found room for all";
    }
}

TEST(Shortfall, IsForgottenWithTheTable)
{
    TestMachine m(with_sidecar(1));
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x2000, 0x1000, 2)), 21u);
    m.write32(0x064, 25);
    m.write32(0x068, 25);
    m.write32(0x06c, 2);
    m.write32(0x028, 1);
    for (const std::uint64_t offset : {0x064, 0x068, 0x06c}) {
        EXPECT_EQ(m.read32(offset), 0u) << std::hex << offset;
    }
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    EXPECT_EQ(dump(m)["result"], "complete");
}

TEST(Shortfall, OfARegionWhoseMemoryWasFreedIsLeftOutAndToldApart)
{
    TestMachine m(with_sidecar());
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    auto freed = ram_region(0x4000, 0x1000, 2);
    ASSERT_EQ(m.add(1, freed), 1u);
    m.invalidate(1);
    freed.flags = 0x200;
    ASSERT_EQ(m.add(1, freed), 1u);
    const Json json = dump(m);
    EXPECT_EQ(m.last_result(), kPartial);
    EXPECT_EQ(m.slot_status(1), 23u);
    EXPECT_EQ(m.slot_valid(1), 1u);
    EXPECT_EQ(m.read32(0x060), 1u) << "LAST_REJECTED";
    EXPECT_EQ(json["left_out"][0],
              Json::parse(R"({"slot":1,"name":"region",)"
                          R"("reason":"its memory was freed since it was registered"})"));
    EXPECT_EQ(json["regions"][1]["accepted"], false);
}

TEST(Shortfall, OfFreedMemoryThatIsUnpluggedCanStillBeToldApart)
{
    TestMachine m(with_sidecar());
    EXPECT_EQ(m.add(0, {kHole, kVirt, 0x1000, "gone", 1, 0x200}), 1u);
    EXPECT_EQ(m.add(1, {kHole, kVirt, 0, "none", 2, 0x200}), 16u) << "its size is checked as ever";
}

TEST(Shortfall, OfAListThatNamesNoRamIsPartial)
{
    TestMachine m(with_sidecar());
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    const std::uint64_t entry[] = {kHole, kVirt, 0x1000};
    m.host.guest.put(kRam + 0x8000, {reinterpret_cast<const char*>(entry), sizeof(entry)});
    ASSERT_EQ(m.add(1, {kRam + 0x8000, kVirt + 0x8000, 24, "list", 0, 3}), 1u);
    const Json json = dump(m);
    EXPECT_EQ(m.last_result(), kPartial);
    EXPECT_EQ(json["extents_rejected"], 1);
}

TEST(Shortfall, OfVmcoreinfoThatIsNoneAnyMoreIsPartialAndSaidSo)
{
    TestMachine m(with_sidecar());
    m.host.guest.put(kRam + 0x3000, "OSRELEASE=6.12\n");
    ASSERT_EQ(m.add(0, {kRam + 0x3000, kVirt, 0x40, "vmcoreinfo", 1, 2}), 1u);
    EXPECT_EQ(dump(m)["vmcoreinfo_lost"], false);
    EXPECT_EQ(m.last_result(), kComplete);
    m.host.guest.put(kRam + 0x3000, "another use");
    const Json json = dump(m);
    EXPECT_EQ(m.last_result(), kPartial);
    EXPECT_EQ(json["vmcoreinfo_lost"], true);
    EXPECT_NE(m.host.warnings.back().find("expected OSRELEASE="), std::string::npos);
}

TEST(Shortfall, OfATableThatAKernelAbandonedHasNoRegisters)
{
    TestMachine m(with_sidecar());
    m.host.notes = kmd::test::cpu_notes({{.cpu = 0}});
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
    const Json json = dump(m, 3);
    EXPECT_EQ(json["reason"], "abandoned");
    EXPECT_EQ(m.read32(0x044), 3u) << "LAST_REASON";
    EXPECT_EQ(m.last_result(), kPartial);
    EXPECT_EQ(json["cpus_of_another_kernel"], Json::array({0}));
}

TEST(Shortfall, SurvivesAMigration)
{
    TestMachine from(with_sidecar(1));
    ASSERT_EQ(from.add(0, ram_region(0, 0x1000, 1)), 1u);
    ASSERT_EQ(from.add(1, ram_region(0x2000, 0x1000, 2)), 21u);
    TestMachine to(with_sidecar(1));
    ASSERT_FALSE(to.controller->load_state(from.controller->save_state()));
    const Json json = dump(to);
    EXPECT_EQ(json["result"], "partial");
    EXPECT_EQ(json["regions_refused"], 1);
}

TEST(Series, OfIdentifiersIsInTheSidecar)
{
    const std::pair<std::uint32_t, const char*> all[] = {
        {0, "unknown"}, {1, "kmemdump"}, {2, "meminspect"}, {3, "unknown"}};
    for (const auto& [number, name] : all) {
        TestMachine m(with_sidecar());
        ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 1)), 1u);
        m.write32(0x06c, number);
        EXPECT_EQ(m.read32(0x06c), number);
        EXPECT_EQ(dump(m)["id_series"], name);
    }
}

} // namespace
