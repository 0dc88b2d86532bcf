// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the sentences of the register specification that settle what a driver written from that page alone
// had to guess: halves of accesses, what is counted, what a status says at each stage, and what the registers
// of the last attempt hold whatever became of it.
#include "core_reader.h"
#include "guest_elf_header.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace
{

using kmd::test::bytes_of;
using kmd::test::CoreReader;
using kmd::test::GuestRegion;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TestMachine;

constexpr std::uint64_t kUnplugged = 0x50000000;

/// A valid region in slot 0 whose memory is there, and one in slot 1 whose memory is gone.
void add_one_that_is_gone(TestMachine& m)
{
    m.host.guest.add_ram(kUnplugged, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {kUnplugged, kVirt + 0x100000, 0x1000, "gone", 0, 0}), 1u);
    m.host.guest.unplug(kUnplugged);
}

TEST(Halves, OfAReadAreJudgedEachOnItsOwn)
{
    TestMachine m;
    EXPECT_EQ(m.read64(0x018), 0x1000u) << "SLOT_OFFSET, and 0x01c which is nothing";
    EXPECT_EQ(m.guest_errors(), 1u);
    EXPECT_EQ(m.read64(0x038), 0u) << "two that are nothing";
    EXPECT_EQ(m.guest_errors(), 2u) << "are one guest error";
}

TEST(Halves, OfAWriteTakeEffectEachOnItsOwnInEitherOrder)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write64(0x060, 0x00000005'00000001); // LAST_REJECTED, which is read-only, then NOT_REGISTERED
    EXPECT_EQ(m.read32(0x064), 5u);
    EXPECT_EQ(m.read32(0x060), 0u);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write64(0x068, 0x00000002'00000007); // NOT_LISTED, ID_SERIES: both good
    EXPECT_EQ(m.read64(0x068), 0x00000002'00000007u);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write64(0x028, 1); // RESET_TABLE, then REGION_COUNT, which is read-only
    EXPECT_EQ(m.read32(0x02c), 0u);
    EXPECT_EQ(m.guest_errors(), 2u);
}

TEST(Halves, OfAWriteToASlotAreJudgedEachOnItsOwn)
{
    TestMachine m;
    m.fill_slot(0, ram_region(0, 0x1000));
    m.write64(TestMachine::slot(0) + 0x38, 0x00000001'00000001); // SLOT_COMMIT, and 0x3c which takes only 0
    EXPECT_EQ(m.slot_valid(0), 1u);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write64(TestMachine::slot(0) + 0x10, 0x00000001'00000001); // SLOT_SIZE of a valid slot
    EXPECT_EQ(m.read64(TestMachine::slot(0) + 0x10), 0x1000u);
    EXPECT_EQ(m.guest_errors(), 2u) << "two bad halves are one guest error";
}

TEST(GuestErrors, CountOneForEachAccessThatBreaksARule)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    const std::uint64_t valid = TestMachine::slot(0);
    const std::uint64_t free = TestMachine::slot(1);
    struct Access {
        const char* rule;
        std::uint64_t offset;
        std::uint64_t value;
        unsigned size;
    };
    const Access accesses[] = {
        {"a width that is not defined", 0x020, 1, 2},
        {"an alignment that is not defined", 0x022, 1, 4},
        {"an offset that is not defined", 0x038, 1, 4},
        {"a read-only register", 0x040, 1, 4},
        {"a read-only field", free + 0x30, 0, 4},
        {"a reserved field", free + 0x34, 1, 4},
        {"a value that RESET_TABLE does not take", 0x028, 0, 4},
        {"a value that SLOT_COMMIT does not take", free + 0x38, 2, 4},
        {"a value that DOORBELL does not take", 0x020, 4, 4},
        {"a field of a valid slot", valid + 0x28, 9, 4},
        {"a commit of a valid slot", valid + 0x38, 1, 4},
        {"a slot behind the last", TestMachine::slot(16) + 0x38, 1, 4},
    };
    std::uint32_t expected = 0;
    for (const Access& access : accesses) {
        m.controller->write(access.offset, access.value, access.size);
        EXPECT_EQ(m.guest_errors(), ++expected) << access.rule;
    }
    m.write32(0x020, 2);
    EXPECT_EQ(m.guest_errors(), expected);
    m.write32(0x020, 2);
    EXPECT_EQ(m.guest_errors(), ++expected) << "a doorbell that is rung while BUSY is set";
    EXPECT_EQ(m.add(1, ram_region(0, 0)), 16u);
    m.invalidate(5);
    m.read32(0x020);
    EXPECT_EQ(m.guest_errors(), expected)
        << "none: a refused commit, a 0 to an invalid slot, a write-only read";
}

TEST(GuestErrors, StopAtTheLargestNumber)
{
    TestMachine from;
    from.read32(0x038);
    auto state = from.controller->save_state();
    // Words: version, number of slots, two for refused regions, 14 a slot, then BUSY and this count.
    constexpr std::size_t kWord = 4 + 14 * 16 + 1;
    std::uint32_t value = 0;
    std::memcpy(&value, state.data() + kWord * 4, 4);
    ASSERT_EQ(value, 1u);
    value = 0xfffffffe;
    std::memcpy(state.data() + kWord * 4, &value, 4);
    TestMachine m;
    ASSERT_FALSE(m.controller->load_state(state));
    for (int i = 0; i < 3; ++i) {
        m.read32(0x038);
        EXPECT_EQ(m.guest_errors(), 0xffffffffu);
    }
}

TEST(SlotStatus, SaysAtEachStageWhatTheSpecificationSays)
{
    TestMachine m;
    m.host.guest.add_ram(kUnplugged, 0x1000);
    EXPECT_EQ(m.slot_status(0), 0u) << "until the first commit";
    m.fill_slot(0, {kUnplugged, kVirt, 0, "x", 0, 0});
    EXPECT_EQ(m.slot_status(0), 0u) << "writing fields changes nothing";
    EXPECT_EQ(m.commit(0), 16u) << "what the commit came to";
    m.fill_slot(0, {kUnplugged, kVirt, 0x1000, "x", 0, 0});
    EXPECT_EQ(m.slot_status(0), 16u) << "until the next one";
    m.write32(TestMachine::slot(0) + 0x38, 7);
    EXPECT_EQ(m.slot_status(0), 16u) << "a value that SLOT_COMMIT does not take has no effect";
    EXPECT_EQ(m.commit(0), 1u);
    ASSERT_EQ(m.add(1, ram_region(0, 0x1000)), 1u);
    m.host.guest.unplug(kUnplugged);
    EXPECT_EQ(m.slot_status(0), 1u);
    m.dump(2);
    EXPECT_EQ(m.slot_status(0), 18u) << "the check of the trigger";
    m.host.guest.plug(kUnplugged);
    m.dump(2);
    EXPECT_EQ(m.slot_status(0), 1u) << "one that passes again";
    m.invalidate(0);
    EXPECT_EQ(m.slot_status(0), 0u);
    m.write32(0x028, 1);
    EXPECT_EQ(m.slot_status(1), 0u) << "RESET_TABLE";
}

TEST(SlotStatus, OfAnOverlapIsThatOfTheLaterRegionAndStays)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x800, 0x1000)), 2u);
    m.dump(2);
    EXPECT_EQ(m.slot_status(0), 1u) << "a trigger does not move it to the earlier one";
    EXPECT_EQ(m.slot_status(1), 2u);
    m.invalidate(0);
    EXPECT_EQ(m.slot_status(1), 2u) << "it does not change when the other goes";
    m.dump(2);
    EXPECT_EQ(m.slot_status(1), 2u);
}

TEST(Busy, ChangesBeforeTheCpusStandStillAreInTheDumpAndNoGuestErrors)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 2);
    m.invalidate(0);
    ASSERT_EQ(m.add(1, ram_region(0x4000, 0x1000)), 1u) << "registers work as always";
    ASSERT_EQ(m.add(2, ram_region(0x8000, 0x1000)), 1u);
    m.host.run_scheduled(*m.controller);
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.read32(0x04c), 2u) << "LAST_REGIONS";
    const CoreReader core(bytes_of(m.folder / "kmemdump-0001-request.elf"));
    EXPECT_FALSE(core.read_phys(kRam, 0x1000));
    EXPECT_TRUE(core.read_phys(kRam + 0x4000, 0x1000));
    EXPECT_TRUE(core.read_phys(kRam + 0x8000, 0x1000));
}

TEST(Busy, AResetOfTheTableBeforeTheCpusStandStillLeavesNothingToDump)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 2);
    m.write32(0x028, 1);
    EXPECT_EQ(m.read32(0x024), 3u) << "STATUS: still BUSY";
    m.host.run_scheduled(*m.controller);
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
}

/// LAST_REASON to LAST_REJECTED as section 8 has them for attempts that made no file.
void expect_last(TestMachine& m, std::uint32_t result, std::uint32_t reason, std::uint32_t rejected)
{
    EXPECT_EQ(m.read32(0x048), result) << "LAST_RESULT";
    EXPECT_EQ(m.read32(0x044), reason) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x04c), 0u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 0u) << "LAST_BYTES";
    EXPECT_GT(m.read64(0x058), 0u) << "LAST_NANOSECONDS";
    EXPECT_EQ(m.read32(0x060), rejected) << "LAST_REJECTED";
}

TEST(LastAttempt, ThatFoundNothingToSaveCountsWhatItLeftOut)
{
    TestMachine m;
    add_one_that_is_gone(m);
    m.dump(2);
    ASSERT_EQ(m.last_result(), 2u) << "so that the registers hold something before";
    m.invalidate(0);
    m.dump(1);
    expect_last(m, 5, 1, 1);
}

TEST(LastAttempt, ThatFailedCountsWhatItLeftOut)
{
    TestMachine m;
    add_one_that_is_gone(m);
    m.dump(2);
    ASSERT_EQ(m.last_result(), 2u);
    m.folder.remove();
    m.dump(1);
    expect_last(m, 4, 1, 1);
}

TEST(LastAttempt, ThatFoundALimitReachedCountsNothing)
{
    auto config = small_config();
    config.max_dumps = 1;
    TestMachine m(config);
    add_one_that_is_gone(m);
    m.dump(2);
    ASSERT_EQ(m.last_result(), 2u);
    m.dump(1);
    expect_last(m, 6, 1, 0);
}

TEST(LastAttempt, ThatHasNoRoomWithinMaxBytesCountsNothing)
{
    auto config = small_config();
    config.max_bytes = 100;
    TestMachine m(config);
    add_one_that_is_gone(m);
    m.dump(1);
    expect_last(m, 6, 1, 0);
}

/// The guest's ELF header in slot 0, vmcoreinfo in slot 1, memory in slots 2 and 3, an empty list in slot 4.
void add_one_of_each_kind(TestMachine& m)
{
    m.host.guest.put(kRam + 0x2000, "OSRELEASE=6.12\n");
    const GuestRegion regions[] = {{kRam, kVirt, 0x400, "ELF", 0, 1},
                                   {kRam + 0x2000, kVirt + 0x2000, 32, "vmcoreinfo", 0, 2},
                                   {kRam + 0x3000, kVirt + 0x3000, 0x1000, "first", 0, 0},
                                   {kRam + 0x5000, kVirt + 0x5000, 0x1000, "second", 0, 0},
                                   {kRam + 0x7000, kVirt + 0x7000, 24, "list", 0, 3}};
    for (std::uint64_t slot = 0; slot < std::size(regions); ++slot) {
        ASSERT_EQ(m.add(slot, regions[slot]), 1u) << slot;
    }
}

TEST(LastRegions, CountTheKindsThatTheFormatHas)
{
    const std::pair<const char*, std::uint32_t> formats[] = {
        {"enriched", 3}, // vmcoreinfo and memory
        {"qcom", 5},     // a file for each slot
    };
    for (const auto& [format, regions] : formats) {
        auto config = small_config();
        config.format = format;
        TestMachine m(config);
        add_one_of_each_kind(m);
        m.dump(2);
        EXPECT_EQ(m.last_result(), 1u) << format;
        EXPECT_TRUE(m.host.warnings.empty()) << format << ": " << m.host.warnings[0];
        EXPECT_EQ(m.read32(0x04c), regions) << format;
    }
}

TEST(LastRegions, CountVmcoreinfoAndWhatTheGuestsOwnHeaderDescribes)
{
    const GuestRegion memory[] = {{kRam + 0x3000, kVirt + 0x3000, 0x1000, "first", 0, 0},
                                  {kRam + 0x5000, kVirt + 0x5000, 0x1000, "second", 0, 0}};
    for (const std::uint32_t described : {1u, 2u}) {
        auto config = small_config();
        config.format = "coreimage";
        config.sidecar = true;
        TestMachine m(config);
        add_one_of_each_kind(m);
        m.host.guest.put(kRam, kmd::test::guest_elf_header(std::span(memory).first(described), 0x400 + 32));
        m.dump(2);
        EXPECT_TRUE(m.host.warnings.empty()) << m.host.warnings[0];
        EXPECT_EQ(m.read32(0x04c), 1 + described) << "LAST_REGIONS";
        EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED";
        EXPECT_EQ(m.last_result(), described == 2 ? 1u : 2u) << "partial: a region has no program header";
    }
}

TEST(Vmcoreinfo, IsReadUpTo65536Bytes)
{
    TestMachine m;
    const std::string text = "OSRELEASE=6.12\n" + std::string(0x11000, 'x');
    m.host.guest.put(kRam, text);
    ASSERT_EQ(m.add(0, {kRam, kVirt, 0x11000, "vmcoreinfo", 0, 2}), 1u);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 1u);
    const CoreReader core(bytes_of(m.folder / "kmemdump-0001-request.elf"));
    ASSERT_EQ(core.notes().size(), 1u);
    EXPECT_EQ(core.notes()[0].text, text.substr(0, 65536));
    EXPECT_TRUE(core.read_phys(kRam, 0x11000)) << "the memory is whole";
}

} // namespace
