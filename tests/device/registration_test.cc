// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the real machine's memory map makes of a registration: only RAM is ever taken.
#include "run_folder.h"
#include "window.h"

#include <gtest/gtest.h>

#include <fstream>

using namespace device;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kVirt = 0xffff800080000000;
constexpr std::uint64_t kUart = 0x09000000;
constexpr std::uint64_t kFlash = 0x00000000;
constexpr std::uint64_t kHole = 0x30000000000;

TEST(Registration, IdentifiesItselfBeforeAnythingElse)
{
    QtestMachine machine;
    EXPECT_EQ(machine.read32(kWindow + 0x00), 0x444d4d4bu);
    EXPECT_EQ(machine.read32(kWindow + 0x04), 0x00010001u);
    EXPECT_EQ(machine.read32(kWindow + 0x10), 512u);
    EXPECT_EQ(machine.read32(kWindow + 0x14), 64u);
    EXPECT_EQ(machine.read32(kWindow + 0x18), 0x1000u);
}

TEST(Registration, TakesRam)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam + 0x1000, kVirt, 0x2000, 7}), 1u);
    EXPECT_EQ(machine.read32(kRegionCount), 1u);
    EXPECT_EQ(machine.read32(kFreeSlot), 1u);
}

TEST(Registration, TakesAllOfRam)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, kRamSize, 7}), 1u);
}

TEST(Registration, RejectsMmio)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kUart, kVirt, 0x1000, 7}), 18u);
    EXPECT_EQ(commit(machine, 1, {kWindow, kVirt, 0x1000, 8}), 18u);
    EXPECT_EQ(machine.read32(kRegionCount), 0u);
}

TEST(Registration, RejectsFlash)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kFlash, kVirt, 0x1000, 7}), 18u);
}

TEST(Registration, RejectsAHole)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kHole, kVirt, 0x1000, 7}), 18u);
}

// A PCI device in slot 1, whose ROM firmware would show at an address of its choice.
TEST(Registration, RejectsAPciOptionRom)
{
    constexpr std::uint64_t kConfiguration = 0x4010000000 + (1ull << 15);
    constexpr std::uint32_t kRom = 0x10000000;
    const support::RunFolder folder;
    std::ofstream(folder.file("rom")) << "\x55\xaa" << std::string(4094, 'r');
    QtestMachine machine("", {"-device", "i6300esb,addr=1,romfile=" + folder.file("rom")});
    machine.write32(kConfiguration + 0x30, kRom | 1);
    machine.write32(kConfiguration + 0x04, 2);
    ASSERT_EQ(machine.read8(kRom + 2), 'r') << "it is there";
    EXPECT_EQ(commit(machine, 0, {kRom, kVirt, 0x100, 7}), 18u);
}

TEST(Registration, RejectsWhatReachesPastTheEndOfRam)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam + kRamSize - 0x1000, kVirt, 0x1001, 7}), 18u);
    EXPECT_EQ(commit(machine, 0, {kRam + kRamSize - 0x1000, kVirt, 0x1000, 7}), 1u);
}

TEST(Registration, RejectsWhatStartsBelowRam)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam - 1, kVirt, 2, 7}), 18u);
}

TEST(Registration, RejectsWrapAround)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, UINT64_MAX, 7}), 17u);
    EXPECT_EQ(commit(machine, 0, {kRam, 0xfffffffffffff000, 0x2000, 7}), 17u);
    EXPECT_EQ(commit(machine, 0, {UINT64_MAX, kVirt, 1, 7}), 18u);
}

TEST(Registration, RejectsHalfOfTheAddressSpace)
{
    constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, 0, kHalf, 7}), 18u);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, kHalf, 7}), 17u) << "its virtual addresses wrap";
    EXPECT_EQ(commit(machine, 0, {kHalf, 0, kHalf, 7}), 18u);
    EXPECT_EQ(commit(machine, 0, {0, 0, kHalf, 7}), 18u);
    EXPECT_EQ(ring(machine), 5u) << "no region, no dump";
}

TEST(Registration, TakesTheSameMemoryAgainAndAgainAndStoresItOnce)
{
    QtestMachine machine("slots=64,sidecar=off");
    for (std::uint32_t i = 0; i < 64; ++i) {
        ASSERT_EQ(commit(machine, i, {kRam, kVirt, kRamSize / 4, i + 1}), i == 0 ? 1u : 2u);
    }
    ASSERT_EQ(ring(machine), 1u);
    EXPECT_EQ(machine.read32(kLastRegions), 64u);
    EXPECT_LT(machine.read64(kLastBytes), kRamSize / 4 + 0x10000);
}

TEST(Registration, RejectsZeroSize)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 0, 7}), 16u);
}

TEST(Registration, RejectsReservedFlags)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 1, 7, 0x400}), 19u);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 1, 7, 4}), 19u);
}

TEST(Registration, RejectsAnIdTwice)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 1, 7}), 1u);
    EXPECT_EQ(commit(machine, 1, {kRam + 0x1000, kVirt, 1, 7}), 20u);
}

TEST(Registration, SaysWhenRegionsOverlap)
{
    QtestMachine machine;
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 0x100, 7}), 1u);
    EXPECT_EQ(commit(machine, 1, {kRam + 0x80, kVirt + 0x80, 8, 8}), 2u);
}

TEST(Registration, FindsTheTableFullAtTheLastSlot)
{
    QtestMachine machine("slots=3");
    EXPECT_EQ(machine.read32(kWindow + 0x10), 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(machine.read32(kFreeSlot), i);
        EXPECT_EQ(commit(machine, i, {kRam + 0x1000 * i, kVirt, 8, i + 1}), 1u);
    }
    EXPECT_EQ(machine.read32(kFreeSlot), 0xffffffffu);
    const std::uint32_t errors = machine.read32(kGuestErrors);
    machine.write32(slot(3) + 0x38, 1);
    EXPECT_EQ(machine.read32(kRegionCount), 3u);
    EXPECT_EQ(machine.read32(kGuestErrors), errors + 1);
}

TEST(Registration, FindsTheTableFullAtTheHostsLimit)
{
    QtestMachine machine("slots=8,max-regions=2");
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    EXPECT_EQ(commit(machine, 1, {kRam + 0x1000, kVirt, 8, 2}), 1u);
    EXPECT_EQ(machine.read32(kFreeSlot), 0xffffffffu);
    EXPECT_EQ(commit(machine, 2, {kRam + 0x2000, kVirt, 8, 3}), 21u);
}

TEST(Registration, HoldsTheLargestTable)
{
    QtestMachine machine("slots=65536");
    EXPECT_EQ(commit(machine, 65535, {kRam, kVirt, 8, 1}), 1u);
    EXPECT_EQ(machine.read32(kRegionCount), 1u);
}

TEST(Registration, AnswersOddAccessesWithoutABusFault)
{
    QtestMachine machine;
    machine.write8(kDoorbell, 1);
    EXPECT_EQ(machine.read8(kWindow), 0u);
    EXPECT_EQ(machine.read32(kWindow + 2), 0u);
    EXPECT_EQ(machine.read32(kWindow + 0xffc), 0u);
    EXPECT_EQ(machine.read32(kGuestErrors), 4u);
    EXPECT_TRUE(machine.dumps().empty());
    EXPECT_NE(machine.messages().find("kmemdump-md: 1-byte write at offset 0x20"), std::string::npos);
}

TEST(Registration, IsForgottenAtReset)
{
    QtestMachine machine;
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    machine.reset();
    EXPECT_EQ(machine.read32(kRegionCount), 0u);
    EXPECT_EQ(machine.read64(slot(0)), 0u);
    EXPECT_EQ(machine.read32(kDumpCount), 1u);
    EXPECT_EQ(machine.read32(kLastReason), 1u);
    EXPECT_EQ(machine.read32(kLastResult), 1u);
}

} // namespace
