// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the register page as a guest sees it: sections 3 and 4 of docs/register-spec.md, with
// every offset and value taken from there.
#include "test_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace
{

using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TestMachine;

struct Word {
    std::uint32_t offset;
    std::uint32_t power_on;
    bool writable;
};

/// Every 32-bit word of the table in section 4, for a machine with 16 slots.
const std::vector<Word> kWords = {
    {0x000, 0x444d4d4b, false}, // MAGIC
    {0x004, 0x00010001, false}, // VERSION
    {0x008, 31, false},         // FEATURES
    {0x00c, 0, false},          // FEATURES, high half
    {0x010, 16, false},         // SLOT_COUNT
    {0x014, 64, false},         // SLOT_STRIDE
    {0x018, 0x1000, false},     // SLOT_OFFSET
    {0x020, 0, true},           // DOORBELL
    {0x024, 1, false},          // STATUS: READY
    {0x028, 0, true},           // RESET_TABLE
    {0x02c, 0, false},          // REGION_COUNT
    {0x030, 0, false},          // FREE_SLOT
    {0x034, 0, false},          // GUEST_ERRORS
    {0x040, 0, false},          // DUMP_COUNT
    {0x044, 0, false},          // LAST_REASON
    {0x048, 0, false},          // LAST_RESULT
    {0x04c, 0, false},          // LAST_REGIONS
    {0x050, 0, false},          // LAST_BYTES
    {0x054, 0, false},          // LAST_BYTES, high half
    {0x058, 0, false},          // LAST_NANOSECONDS
    {0x05c, 0, false},          // LAST_NANOSECONDS, high half
    {0x060, 0, false},          // LAST_REJECTED
    {0x064, 0, true},           // NOT_REGISTERED
    {0x068, 0, true},           // NOT_LISTED
    {0x06c, 0, true},           // ID_SERIES
};

bool defined(std::uint64_t offset)
{
    return std::any_of(kWords.begin(), kWords.end(), [&](const Word& w) { return w.offset == offset; });
}

std::string at(std::uint64_t offset)
{
    return "at offset " + std::to_string(offset);
}

TEST(Registers, HoldTheirPowerOnValues)
{
    TestMachine m;
    for (const Word& word : kWords) {
        EXPECT_EQ(m.read32(word.offset), word.power_on) << at(word.offset);
    }
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_TRUE(m.host.guest_errors.empty());
}

TEST(Registers, MagicSpellsKmmdInMemoryOrder)
{
    TestMachine m;
    const std::uint32_t magic = m.read32(0x000);
    EXPECT_EQ(magic & 0xff, std::uint32_t{'K'});
    EXPECT_EQ(magic >> 8 & 0xff, std::uint32_t{'M'});
    EXPECT_EQ(magic >> 16 & 0xff, std::uint32_t{'M'});
    EXPECT_EQ(magic >> 24, std::uint32_t{'D'});
}

TEST(Registers, SlotCountIsTheOneThatWasConfigured)
{
    for (const std::uint32_t slots : {1u, 201u, 512u, 65536u}) {
        auto config = small_config();
        config.slots = slots;
        TestMachine m(config);
        EXPECT_EQ(m.read32(0x010), slots);
    }
}

TEST(Registers, SixtyFourBitReadIsTwoNeighbours)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    EXPECT_EQ(m.read64(0x000), 0x00010001'444d4d4bu); // VERSION, MAGIC
    EXPECT_EQ(m.read64(0x008), 31u);                  // FEATURES
    EXPECT_EQ(m.read64(0x010), 0x00000040'00000010u); // SLOT_STRIDE, SLOT_COUNT
    EXPECT_EQ(m.read64(0x020), 0x00000001'00000000u); // STATUS, DOORBELL
    EXPECT_EQ(m.read64(0x028), 0x00000001'00000000u); // REGION_COUNT, RESET_TABLE
    EXPECT_EQ(m.guest_errors(), 0u);
    m.read32(0x038);
    EXPECT_EQ(m.read64(0x030), 0x00000001'00000001u); // GUEST_ERRORS, FREE_SLOT
}

TEST(Registers, SixtyFourBitReadAndItsHalvesAgree)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(1);
    for (std::uint32_t offset = 0; offset < 0x60; offset += 8) {
        if (defined(offset) && defined(offset + 4)) {
            const std::uint64_t both = std::uint64_t{m.read32(offset + 4)} << 32 | m.read32(offset);
            EXPECT_EQ(m.read64(offset), both) << at(offset);
        }
    }
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.read64(0x040), 0x00000001'00000001u) << "LAST_REASON, DUMP_COUNT";
    EXPECT_EQ(m.read64(0x048), 0x00000001'00000001u) << "LAST_REGIONS, LAST_RESULT";
    EXPECT_EQ(m.read64(0x050), 0x2000u) << "LAST_BYTES: one page of headers, one of memory";
    EXPECT_GT(m.read64(0x058), 0u) << "LAST_NANOSECONDS";
}

TEST(Registers, ReadOfWriteOnlyRegisterGivesZeroAndIsNoError)
{
    TestMachine m;
    EXPECT_EQ(m.read32(0x020), 0u);
    EXPECT_EQ(m.read32(0x028), 0u);
    m.write32(0x020, 2);
    EXPECT_EQ(m.read32(0x020), 0u);
    m.write32(0x028, 1);
    EXPECT_EQ(m.read32(0x028), 0u);
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Registers, WriteToReadOnlyRegisterHasNoEffectAndIsCounted)
{
    TestMachine m;
    std::uint32_t errors = 0;
    for (const Word& word : kWords) {
        if (word.writable) {
            continue;
        }
        for (const std::uint32_t value : {0u, 1u, 0xffffffffu}) {
            m.write32(word.offset, value);
            EXPECT_EQ(m.guest_errors(), ++errors) << at(word.offset);
        }
        if (word.offset != 0x034) {
            EXPECT_EQ(m.read32(word.offset), word.power_on) << at(word.offset);
        }
    }
    EXPECT_EQ(m.host.guest_errors.size(), errors);
    EXPECT_EQ(m.host.scheduled, 0);
}

TEST(Registers, WriteToA64BitReadOnlyRegisterIsOneGuestError)
{
    TestMachine m;
    m.write64(0x008, 0xffffffffffffffff);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write64(0x050, 0xffffffffffffffff);
    EXPECT_EQ(m.guest_errors(), 2u);
    EXPECT_EQ(m.read64(0x008), 31u);
    EXPECT_EQ(m.read64(0x050), 0u);
}

TEST(Registers, OtherWidthsReadZeroAndAreCounted)
{
    TestMachine m;
    std::uint32_t errors = 0;
    for (const Word& word : kWords) {
        for (const unsigned size : {1u, 2u}) {
            EXPECT_EQ(m.controller->read(word.offset, size), 0u) << at(word.offset);
            EXPECT_EQ(m.guest_errors(), ++errors) << at(word.offset) << ", size " << size;
        }
    }
    for (const std::uint64_t offset : {0x1000u, 0x1018u, 0x1030u, 0x1038u}) {
        for (const unsigned size : {1u, 2u}) {
            EXPECT_EQ(m.controller->read(offset, size), 0u) << at(offset);
            EXPECT_EQ(m.guest_errors(), ++errors) << at(offset) << ", size " << size;
        }
    }
}

TEST(Registers, WidthsThatNoBusHasAreGuestErrorsToo)
{
    TestMachine m;
    std::uint32_t errors = 0;
    for (const unsigned size : {0u, 3u, 5u, 6u, 7u, 12u, 16u, 64u, 0xffffffffu}) {
        EXPECT_EQ(m.controller->read(0x000, size), 0u) << size;
        EXPECT_EQ(m.guest_errors(), ++errors) << size;
        m.controller->write(0x020, 1, size);
        EXPECT_EQ(m.guest_errors(), ++errors) << size;
    }
    EXPECT_EQ(m.host.scheduled, 0);
}

TEST(Registers, NarrowWritesHaveNoEffect)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.fill_slot(1, ram_region(0x1000, 0x1000));
    std::uint32_t errors = 0;
    for (const unsigned size : {1u, 2u}) {
        m.controller->write(0x020, 1, size); // DOORBELL
        m.controller->write(0x028, 1, size); // RESET_TABLE
        m.controller->write(TestMachine::slot(1) + 0x10, 0, size);
        m.controller->write(TestMachine::slot(1) + 0x38, 1, size);
        m.controller->write(TestMachine::slot(0) + 0x38, 0, size);
        errors += 5;
        EXPECT_EQ(m.guest_errors(), errors);
    }
    EXPECT_EQ(m.host.scheduled, 0);
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: not busy";
    EXPECT_EQ(m.read32(0x02c), 1u) << "REGION_COUNT";
    EXPECT_EQ(m.read64(TestMachine::slot(1) + 0x10), 0x1000u) << "SLOT_SIZE";
}

TEST(Registers, MisalignedAccessesReadZeroHaveNoEffectAndAreCounted)
{
    TestMachine m;
    m.fill_slot(0, ram_region(0, 0x1000));
    std::uint32_t errors = 0;
    for (std::uint64_t offset = 0; offset < 0x70; ++offset) {
        if (offset % 4 != 0) {
            EXPECT_EQ(m.controller->read(offset, 4), 0u) << at(offset);
            m.controller->write(offset, 1, 4);
            errors += 2;
        }
        if (offset % 8 != 0) {
            EXPECT_EQ(m.controller->read(offset, 8), 0u) << at(offset);
            m.controller->write(offset, 0x0000000100000001, 8);
            errors += 2;
        }
        EXPECT_EQ(m.guest_errors(), errors) << at(offset);
    }
    m.controller->write(0x1034, 0x00000001'00000000, 8); // would reach SLOT_COMMIT
    EXPECT_EQ(m.guest_errors(), errors + 1);
    EXPECT_EQ(m.slot_valid(0), 0u);
    EXPECT_EQ(m.host.scheduled, 0);
}

TEST(Registers, UndefinedOffsetsReadZeroIgnoreWritesAndAreCounted)
{
    TestMachine m;
    std::uint32_t errors = 0;
    for (std::uint64_t offset = 0; offset < 0x1000; offset += 4) {
        if (defined(offset)) {
            continue;
        }
        ASSERT_EQ(m.read32(offset), 0u) << at(offset);
        ASSERT_EQ(m.guest_errors(), ++errors) << at(offset);
        m.write32(offset, 1);
        ASSERT_EQ(m.guest_errors(), ++errors) << at(offset);
    }
    EXPECT_EQ(errors, 2 * (1024 - 25)) << "25 of the page's 1024 words are registers";
    EXPECT_EQ(m.host.guest_errors.size(), errors);
    EXPECT_EQ(m.host.scheduled, 0);
}

TEST(Registers, SixtyFourBitReadGivesTheDefinedHalfBesideAnUndefinedOne)
{
    TestMachine m;
    EXPECT_EQ(m.read64(0x018), 0x1000u) << "SLOT_OFFSET, and 0x01c which is nothing";
    EXPECT_EQ(m.guest_errors(), 1u);
    EXPECT_EQ(m.read64(0x038), 0u) << "0x038 and 0x03c, which are nothing";
    EXPECT_EQ(m.guest_errors(), 2u);
}

TEST(Registers, SixtyFourBitWriteReachesTheDefinedHalfBesideAnUndefinedOne)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write64(0x028, 1); // RESET_TABLE, then REGION_COUNT, which is read-only
    EXPECT_EQ(m.read32(0x02c), 0u);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write64(0x020, 2); // DOORBELL, then STATUS, which is read-only
    EXPECT_EQ(m.guest_errors(), 2u);
    EXPECT_EQ(m.host.scheduled, 1);
}

TEST(Registers, ReservedBitsMakeTheWholeWriteAGuestError)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.fill_slot(1, ram_region(0x1000, 0x1000));
    std::uint32_t errors = 0;
    for (const std::uint32_t value : {2u, 3u, 0x80000001u, 0xffffffffu}) {
        m.write32(0x028, value); // RESET_TABLE
        EXPECT_EQ(m.guest_errors(), ++errors) << value;
        m.write32(TestMachine::slot(1) + 0x38, value); // SLOT_COMMIT of an invalid slot
        EXPECT_EQ(m.guest_errors(), ++errors) << value;
        m.write32(TestMachine::slot(0) + 0x38, value); // SLOT_COMMIT of a valid slot
        EXPECT_EQ(m.guest_errors(), ++errors) << value;
    }
    EXPECT_EQ(m.read32(0x02c), 1u) << "REGION_COUNT";
    EXPECT_EQ(m.slot_valid(0), 1u);
    EXPECT_EQ(m.slot_valid(1), 0u);
    EXPECT_EQ(m.slot_status(1), 0u);
}

TEST(Registers, DoorbellTakesOnlyTheReasonsOfAGuest)
{
    TestMachine m;
    std::uint32_t errors = 0;
    for (const std::uint32_t reason : {0u, 4u, 15u, 16u, 17u, 18u, 19u, 20u, 0x101u, 0x80000001u}) {
        m.write32(0x020, reason);
        EXPECT_EQ(m.guest_errors(), ++errors) << reason;
        EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: not busy";
    }
    EXPECT_EQ(m.host.scheduled, 0);
    for (const std::uint32_t reason : {1u, 2u, 3u}) {
        m.write32(0x020, reason);
        EXPECT_EQ(m.read32(0x024), 3u) << "STATUS: READY and BUSY";
        EXPECT_EQ(m.host.scheduled, 1);
        m.host.run_scheduled(*m.controller);
        EXPECT_EQ(m.read32(0x024), 1u);
        EXPECT_EQ(m.read32(0x044), reason) << "LAST_REASON";
    }
    EXPECT_EQ(m.guest_errors(), errors);
}

TEST(Registers, EveryOffsetAndSizeIsSafe)
{
    TestMachine m;
    const std::uint64_t end = m.controller->window_size();
    for (const std::uint64_t offset :
         {end, end + 4, std::uint64_t{0xfffffffc}, std::uint64_t{0x100000000}, std::uint64_t{0x100001000},
          std::uint64_t{0x8000000000000000}, std::uint64_t{0xfffffffffffffff8}}) {
        for (const unsigned size : {1u, 2u, 4u, 8u}) {
            const auto before = m.guest_errors();
            EXPECT_EQ(m.controller->read(offset, size), 0u) << at(offset);
            m.controller->write(offset, 1, size);
            EXPECT_EQ(m.guest_errors(), before + 2) << at(offset);
        }
    }
}

TEST(Registers, EachGuestErrorIsLoggedAndNothingElseIs)
{
    TestMachine m;
    m.read32(0x038);
    m.write32(0x000, 0);
    m.controller->read(0x002, 2);
    EXPECT_EQ(m.host.guest_errors.size(), 3u);
    for (const std::string& message : m.host.guest_errors) {
        EXPECT_FALSE(message.empty());
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
    m.read32(0x000);
    EXPECT_EQ(m.host.guest_errors.size(), 3u);
    EXPECT_TRUE(m.host.reports.empty());
    EXPECT_TRUE(m.host.warnings.empty());
}

TEST(Registers, GuestErrorsKeepCountingUntilReset)
{
    TestMachine m;
    for (int i = 0; i < 70000; ++i) {
        m.controller->read(0x038, 4);
    }
    EXPECT_EQ(m.guest_errors(), 70000u);
    m.controller->reset();
    EXPECT_EQ(m.guest_errors(), 0u);
    m.read32(0x038);
    EXPECT_EQ(m.guest_errors(), 1u);
}

TEST(Registers, ARejectedCommitIsNoGuestError)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0)), 16u);
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.host.guest_errors.size(), 1u) << "but there is a line in the log";
}

TEST(Registers, WindowIsWholePagesAndReachesPastTheLastSlot)
{
    const auto window = [](std::uint64_t slots) {
        auto config = small_config();
        config.slots = slots;
        return TestMachine(config).controller->window_size();
    };
    EXPECT_EQ(window(1), 0x2000u);
    EXPECT_EQ(window(63), 0x2000u);
    EXPECT_EQ(window(64), 0x3000u) << "the slots alone fill their page";
    EXPECT_EQ(window(201), 0x5000u);
    EXPECT_EQ(window(512), 0xa000u);
    EXPECT_EQ(window(65536), 0x402000u);
}

TEST(Registers, SlotsPastTheCountAreGuestErrors)
{
    for (const std::uint64_t slots : {1u, 64u, 201u}) {
        auto config = small_config();
        config.slots = slots;
        TestMachine m(config);
        ASSERT_LE(TestMachine::slot(slots) + 64, m.controller->window_size());
        std::uint32_t errors = 0;
        for (std::uint64_t at_byte = TestMachine::slot(slots); at_byte < m.controller->window_size();
             at_byte += 4) {
            ASSERT_EQ(m.read32(at_byte), 0u);
            ASSERT_EQ(m.guest_errors(), ++errors);
            m.write32(at_byte, 1);
            ASSERT_EQ(m.guest_errors(), ++errors);
            ASSERT_EQ(m.read32(at_byte), 0u);
            ++errors;
        }
        m.fill_slot(slots, ram_region(0, 0x1000));
        EXPECT_EQ(m.commit(slots), 0u);
        EXPECT_EQ(m.read32(0x02c), 0u) << "REGION_COUNT";
        EXPECT_EQ(m.add(slots - 1, ram_region(0, 0x1000)), 1u) << "the last slot does work";
        EXPECT_EQ(m.read32(0x02c), 1u) << "REGION_COUNT";
    }
}

TEST(Registers, ResetClearsTheTableAndTheErrorsOnly)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000, 7)), 1u);
    m.fill_slot(3, ram_region(0, 0, 8));
    ASSERT_EQ(m.commit(3), 16u);
    m.dump(2);
    m.read32(0x038);
    const std::uint64_t nanoseconds = m.read64(0x058);
    m.controller->reset();

    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.read32(0x02c), 0u) << "REGION_COUNT";
    EXPECT_EQ(m.read32(0x030), 0u) << "FREE_SLOT";
    for (std::uint64_t at_byte = 0x1000; at_byte < 0x1000 + 16 * 64; at_byte += 8) {
        EXPECT_EQ(m.read64(at_byte), 0u) << at(at_byte);
    }
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x044), 2u) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x048), 2u) << "LAST_RESULT: the commit of slot 3 was refused";
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 0x2000u) << "LAST_BYTES";
    EXPECT_EQ(m.read64(0x058), nanoseconds) << "LAST_NANOSECONDS";
    EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED";
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS";
    EXPECT_EQ(m.add(0, ram_region(0, 0x1000, 7)), 1u) << "the id is free again";
}

TEST(Slots, AreAllZeroAfterPowerOn)
{
    TestMachine m;
    for (std::uint64_t at_byte = 0x1000; at_byte < 0x1000 + 16 * 64; at_byte += 8) {
        EXPECT_EQ(m.read64(at_byte), 0u) << at(at_byte);
    }
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Slots, FieldsReadBackWhatWasWrittenInWordsAndInHalves)
{
    TestMachine m;
    const std::uint64_t slot = TestMachine::slot(5);
    for (std::uint32_t offset = 0; offset < 0x30; offset += 4) {
        m.write32(slot + offset, 0xa5000000 + offset);
    }
    for (std::uint32_t offset = 0; offset < 0x30; offset += 4) {
        EXPECT_EQ(m.read32(slot + offset), 0xa5000000 + offset) << at(offset);
    }
    for (std::uint64_t offset = 0; offset < 0x30; offset += 8) {
        EXPECT_EQ(m.read64(slot + offset), (0xa5000004 + offset) << 32 | (0xa5000000 + offset)) << at(offset);
        m.write64(slot + offset, 0x1122334455667700 + offset);
        EXPECT_EQ(m.read64(slot + offset), 0x1122334455667700 + offset) << at(offset);
        EXPECT_EQ(m.read32(slot + offset), 0x55667700 + offset) << at(offset);
        EXPECT_EQ(m.read32(slot + offset + 4), 0x11223344u) << at(offset);
    }
    EXPECT_EQ(m.guest_errors(), 0u);
    for (const std::uint64_t neighbour : {4u, 6u}) {
        for (std::uint64_t offset = 0; offset < 0x40; offset += 8) {
            EXPECT_EQ(m.read64(TestMachine::slot(neighbour) + offset), 0u) << at(offset);
        }
    }
}

TEST(Slots, ReservedHalvesReadZeroAndWritingThemIsAGuestError)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    EXPECT_EQ(m.read32(0x1034), 0u);
    EXPECT_EQ(m.read32(0x103c), 0u);
    EXPECT_EQ(m.read64(0x1030), 1u) << "SLOT_STATUS";
    EXPECT_EQ(m.read64(0x1038), 1u) << "SLOT_COMMIT";
    EXPECT_EQ(m.guest_errors(), 0u);
    m.write32(0x1034, 1);
    EXPECT_EQ(m.guest_errors(), 1u);
    m.write32(0x103c, 1);
    EXPECT_EQ(m.guest_errors(), 2u);
    EXPECT_EQ(m.read64(0x1030), 1u);
    EXPECT_EQ(m.read64(0x1038), 1u);
}

TEST(Slots, StatusIsReadOnly)
{
    TestMachine m;
    m.write32(0x1030, 1);
    EXPECT_EQ(m.guest_errors(), 1u);
    EXPECT_EQ(m.read32(0x1030), 0u);
}

TEST(Slots, EightAccessesOf64BitsRegisterARegion)
{
    TestMachine m;
    m.write64(0x1000, kRam);
    m.write64(0x1008, kVirt);
    m.write64(0x1010, 0x1000);
    m.write64(0x1018, 0x6d5f6b636f6c5f5f);  // "__lock_m"
    m.write64(0x1020, 0x0000000000006d65);  // "em"
    m.write64(0x1028, 0x00000002'0000002a); // FLAGS: kind 2; ID: 42
    m.write32(0x1038, 1);
    EXPECT_EQ(m.read32(0x1030), 1u);
    EXPECT_EQ(m.read32(0x1028), 42u) << "SLOT_ID is the lower address";
    EXPECT_EQ(m.read32(0x102c), 2u) << "SLOT_FLAGS";
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.read32(0x02c), 1u);
}

} // namespace
