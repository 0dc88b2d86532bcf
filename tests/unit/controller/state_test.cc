// SPDX-License-Identifier: GPL-2.0-or-later
//
// What survives a snapshot or the move to another host, and that no state, however odd, does harm.
#include "cpu_time.h"
#include "test_machine.h"
#include "worst_tables.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace
{

using namespace kmd;
using test::ram_region;
using test::TestMachine;

/// Two regions, a slot that was rejected, one dump and a guest error.
void use(TestMachine& machine)
{
    ASSERT_EQ(machine.add(0, ram_region(0, 0x1000, 7)), 1u);
    ASSERT_EQ(machine.add(3, {test::kRam + 0x2000, test::kVirt, 0x1000, "vmcoreinfo", 2, 2}), 1u);
    ASSERT_EQ(machine.add(1, ram_region(0, 0, 8)), 16u);
    machine.read32(0x7fc);
    machine.write32(0x064, 3);
    machine.write32(0x068, 4);
    machine.write32(0x06c, 2);
    machine.dump();
}

std::optional<Error> move_state(const TestMachine& from, TestMachine& to)
{
    return to.controller->load_state(from.controller->save_state());
}

TEST(State, HasTheSameSizeWhateverIsInTheTable)
{
    TestMachine empty;
    TestMachine used;
    use(used);
    EXPECT_EQ(empty.controller->save_state().size(), used.controller->save_state().size());
}

TEST(State, CarriesTableRegistersAndCounters)
{
    TestMachine from;
    use(from);
    TestMachine to;
    ASSERT_FALSE(move_state(from, to));
    for (std::uint64_t offset = 0; offset < 0x1000 + 16 * 64; offset += 4) {
        if (offset < 0x70 || offset >= 0x1000) {
            EXPECT_EQ(to.read32(offset), from.read32(offset)) << std::hex << offset;
        }
    }
    EXPECT_EQ(to.read32(0x02c), 2u);
    EXPECT_EQ(to.slot_status(1), 16u);
}

TEST(State, KeepsIdsKindsAndOverlapsKnown)
{
    TestMachine from;
    use(from);
    TestMachine to;
    ASSERT_FALSE(move_state(from, to));
    EXPECT_EQ(to.add(5, ram_region(0x8000, 0x1000, 7)), 20u) << "its id is taken";
    EXPECT_EQ(to.add(6, {test::kRam + 0x8000, test::kVirt, 0x1000, "x", 0, 2}), 20u) << "its kind is";
    EXPECT_EQ(to.add(7, ram_region(0x800, 0x100, 9)), 2u) << "it overlaps the first";
    to.invalidate(0);
    EXPECT_EQ(to.add(5, ram_region(0x8000, 0x1000, 7)), 1u);
}

TEST(State, ReplacesWhatWasThere)
{
    TestMachine from;
    use(from);
    TestMachine to;
    ASSERT_EQ(to.add(9, ram_region(0x4000, 0x1000, 99)), 1u);
    ASSERT_FALSE(move_state(from, to));
    EXPECT_EQ(to.slot_valid(9), 0u);
    EXPECT_EQ(to.add(10, ram_region(0x4000, 0x1000, 99)), 1u);
}

TEST(State, OfABellThatWasRungTakesTheDumpOnTheOtherSide)
{
    TestMachine from;
    ASSERT_EQ(from.add(0, ram_region(0, 0x1000)), 1u);
    from.write32(0x020, 1);
    TestMachine to;
    ASSERT_FALSE(move_state(from, to));
    EXPECT_EQ(to.host.scheduled, 1);
    EXPECT_EQ(to.read32(0x024) & 2, 2u);
    to.host.run_scheduled(*to.controller);
    EXPECT_EQ(to.last_result(), 1u);
    EXPECT_EQ(to.read32(0x044), 1u);
}

TEST(State, RemembersThatTheIncidentIsOnFile)
{
    TestMachine from;
    use(from);
    TestMachine to;
    ASSERT_FALSE(move_state(from, to));
    to.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(to.read32(0x040), 1u) << "the reset belongs to the panic";
}

TEST(State, DoesNotGiveTheGuestBackItsLimitOfDumps)
{
    auto config = test::small_config();
    config.max_dumps = 1;
    TestMachine machine(config);
    const auto before = machine.controller->save_state();
    use(machine);
    ASSERT_EQ(machine.last_result(), 2u) << "a dump, though a region was refused";
    ASSERT_FALSE(machine.controller->load_state(before));
    use(machine);
    EXPECT_EQ(machine.last_result(), 6u);
}

TEST(State, OfAnotherNumberOfSlotsIsRefused)
{
    auto config = test::small_config();
    config.slots = 17;
    TestMachine from(config);
    TestMachine to;
    const auto error = move_state(from, to);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->what, "it has 17 slots, but this controller has 16: slots= must be the same");
}

TEST(State, OfMoreRegionsThanAreAllowedHereIsRefused)
{
    TestMachine from;
    use(from);
    auto config = test::small_config();
    config.max_regions = 1;
    TestMachine to(config);
    const auto error = move_state(from, to);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->what, "it has more regions than the 1 that this controller takes");
}

TEST(State, OfAnotherVersionOrLengthIsRefused)
{
    TestMachine machine;
    auto state = machine.controller->save_state();
    for (std::size_t size = 0; size < state.size(); size += 3) {
        EXPECT_TRUE(machine.controller->load_state(std::span(state).first(size))) << size;
    }
    state.push_back(std::byte{0});
    EXPECT_EQ(machine.controller->load_state(state)->what, "its length is wrong");
    for (const int version : {0, 1, 3}) {
        state[0] = static_cast<std::byte>(version);
        EXPECT_EQ(machine.controller->load_state(state)->what,
                  "its version is " + std::to_string(version) + ", expected 2");
    }
}

TEST(State, ThatNoGuestCouldReachIsRefused)
{
    TestMachine from;
    use(from);
    const auto good = from.controller->save_state();
    // Word numbers: version, number of slots, two for the regions that were refused, then 14 words a slot:
    // 12 of fields, status, valid.
    const auto with = [&](std::size_t word, std::uint32_t value) {
        auto state = good;
        std::memcpy(state.data() + word * 4, &value, 4);
        TestMachine to;
        return to.controller->load_state(state);
    };
    ASSERT_FALSE(with(4 + 14, 0));
    EXPECT_TRUE(with(4 + 12, 5)) << "a status that does not exist";
    EXPECT_TRUE(with(4 + 13, 2)) << "valid twice over";
    EXPECT_TRUE(with(4 + 14 + 13, 1)) << "valid with a size of 0";
    EXPECT_TRUE(with(4 + 5, 0xffffffff)) << "past the end of the space";
    EXPECT_TRUE(with(4 + 11, 0x400)) << "a reserved flag";
    EXPECT_TRUE(with(4 + 11, 2)) << "a second vmcoreinfo";
    EXPECT_TRUE(with(4 + 10, 2)) << "an id twice";
    const std::size_t registers = 4 + 14 * 16;
    EXPECT_TRUE(with(registers, 2)) << "busy twice over";
    EXPECT_TRUE(with(registers + 4, 7)) << "a result that does not exist";
    EXPECT_TRUE(with(good.size() / 4 - 2, 3)) << "an incident in a state that does not exist";
}

TEST(State, OfNoiseDoesNoHarm)
{
    TestMachine from;
    use(from);
    const auto good = from.controller->save_state();
    std::mt19937 random(1);
    for (int i = 0; i < 100; ++i) {
        auto state = good;
        for (int change = 0; change < 4; ++change) {
            state[random() % state.size()] = static_cast<std::byte>(random());
        }
        TestMachine to;
        (void)to.controller->load_state(state);
        to.dump();
        (void)to.controller->regions_json();
    }
}

TEST(Description, OfTheTableIsJsonWithEveryRegion)
{
    TestMachine machine;
    use(machine);
    ASSERT_EQ(machine.add(2, {test::kRam + 0x5000, ~std::uint64_t{0xfff}, 0x10, "quote\"\x01\xff", 3, 0}),
              1u);
    const auto regions = nlohmann::json::parse(machine.controller->regions_json());
    ASSERT_EQ(regions.size(), 3u);
    EXPECT_EQ(regions[0], (nlohmann::json{{"slot", 0},
                                          {"id", 7},
                                          {"name", "region"},
                                          {"kind", "memory"},
                                          {"phys", "0x40000000"},
                                          {"virt", "0xffff800000000000"},
                                          {"size", 4096},
                                          {"status", "it is valid"}}));
    EXPECT_EQ(regions[1]["name"], "quote\"??");
    EXPECT_EQ(regions[1]["virt"], "0xfffffffffffff000");
    EXPECT_EQ(regions[2]["kind"], "vmcoreinfo");
}

TEST(Description, OfTheControllerFollowsItsLife)
{
    auto config = test::small_config();
    config.max_dumps = 1;
    TestMachine machine(config);
    EXPECT_STREQ(machine.controller->state_text(), "unused");
    ASSERT_EQ(machine.add(0, ram_region(0, 0x1000)), 1u);
    EXPECT_STREQ(machine.controller->state_text(), "ready");
    machine.write32(0x020, 1);
    EXPECT_STREQ(machine.controller->state_text(), "busy");
    machine.host.run_scheduled(*machine.controller);
    EXPECT_EQ(machine.controller->dump_count(), 1u);
    EXPECT_EQ(machine.controller->last_file(), machine.folder.path() + "/kmemdump-0001-panic.elf");
    EXPECT_EQ(machine.controller->last_error(), "");
    EXPECT_EQ(machine.controller->last_attempt().bytes,
              std::filesystem::file_size(machine.controller->last_file()));
    machine.dump(2);
    EXPECT_STREQ(machine.controller->state_text(), "limit");
    EXPECT_EQ(machine.controller->last_file(), "");
    EXPECT_EQ(machine.controller->last_error(), "max-dumps=1 is reached; further requests are ignored");
}

TEST(DumpDone, IsSaidOfEachFileAndABoundedNumberOfTimesWithoutOne)
{
    TestMachine machine;
    for (int i = 0; i < 100; ++i) {
        machine.dump();
    }
    EXPECT_EQ(machine.host.done.size(), 16u);
    EXPECT_EQ(machine.host.done[0],
              (std::pair<std::uint64_t, std::string>{0, "the guest has registered no region"}));
    ASSERT_EQ(machine.add(0, ram_region(0, 0x1000)), 1u);
    machine.dump();
    ASSERT_EQ(machine.host.done.size(), 17u);
    EXPECT_EQ(machine.host.done[16].first, machine.read64(0x050));
    EXPECT_EQ(machine.host.done[16].second, "");
}

TEST(Trace, ShowsAccessesAndDumpsOnlyWhenItIsOn)
{
    TestMachine machine;
    ASSERT_EQ(machine.add(0, ram_region(0, 0x1000)), 1u);
    EXPECT_TRUE(machine.host.traces.empty());
    machine.controller->set_trace(true);
    machine.read32(0x000);
    machine.dump();
    ASSERT_EQ(machine.host.traces.size(), 4u);
    EXPECT_EQ(machine.host.traces[0], "read 0x0 MAGIC size 4 value 0x444d4d4b");
    EXPECT_EQ(machine.host.traces[1], "write 0x20 DOORBELL size 4 value 0x1");
    EXPECT_EQ(machine.host.traces[2], "dump panic of 1 regions");
    EXPECT_EQ(machine.host.traces[3].rfind("result 1, ", 0), 0u) << machine.host.traces[3];
}

TEST(State, OfTheLargestTableIsLoadedInASecondHoweverItsRegionsLie)
{
    for (const auto& layout : test::layouts()) {
        TestMachine from(test::with_most_slots());
        test::fill_table(from, layout);
        const auto state = from.controller->save_state();
        TestMachine to(test::with_most_slots());
        const double start = test::cpu_seconds();
        ASSERT_FALSE(to.controller->load_state(state)) << layout.name;
        EXPECT_LT(test::cpu_seconds() - start, 2) << layout.name;
        EXPECT_EQ(to.read32(0x02c), test::kMostSlots);
    }
}

} // namespace
