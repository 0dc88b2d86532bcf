// SPDX-License-Identifier: GPL-2.0-or-later
//
// From the doorbell to the file: what was written to guest RAM is what the dump holds.
#include "window.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

using namespace device;
using support::ElfCore;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kVirt = 0xffff800080000000;

std::vector<std::byte> noise(std::size_t size, unsigned seed)
{
    std::mt19937 random(seed);
    std::vector<std::byte> bytes(size);
    for (auto& byte : bytes) {
        byte = static_cast<std::byte>(random());
    }
    return bytes;
}

std::vector<std::byte> text(const std::string& words)
{
    const auto bytes = std::as_bytes(std::span(words));
    return {bytes.begin(), bytes.end()};
}

TEST(Dump, HoldsWhatWasWritten)
{
    QtestMachine machine;
    const auto first = noise(5000, 1);
    const auto second = noise(100, 2);
    machine.write_memory(kRam + 0x10123, first);
    machine.write_memory(kRam + kRamSize - 100, second);
    ASSERT_EQ(commit(machine, 0, {kRam + 0x10123, kVirt + 0x123, first.size(), 1}), 1u);
    ASSERT_EQ(commit(machine, 1, {kRam + kRamSize - 100, kVirt + 0x7fff9c, second.size(), 2}), 1u);
    ASSERT_EQ(ring(machine), 1u);

    ASSERT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    const auto core = ElfCore::read(machine.dumps()[0]);
    EXPECT_EQ(core.physical(kRam + 0x10123, first.size()), first);
    EXPECT_EQ(core.physical(kRam + kRamSize - 100, second.size()), second);
    ASSERT_EQ(core.segments.size(), 2u);
    EXPECT_EQ(core.segments[0].phys, kRam + 0x10000);
    EXPECT_EQ(core.segments[0].virt, kVirt);
    EXPECT_EQ(core.segments[0].file_size, 0x2000u);
    EXPECT_EQ(machine.read32(kLastReason), 1u);
    EXPECT_EQ(machine.read32(kLastRegions), 2u);
    EXPECT_EQ(machine.read32(kLastRejected), 0u);
    EXPECT_EQ(machine.read64(kLastBytes), core.bytes.size());
    EXPECT_GT(machine.read64(kLastNanoseconds), 0u);
}

TEST(Dump, EqualsGuestMemoryByteForByte)
{
    QtestMachine machine;
    machine.write_memory(kRam + 0x200000, noise(0x3000, 3));
    ASSERT_EQ(commit(machine, 0, {kRam + 0x200800, kVirt + 0x800, 0x1234, 1}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    const auto core = ElfCore::read(machine.dumps().at(0));
    for (const auto& segment : core.segments) {
        EXPECT_EQ(core.physical(segment.phys, segment.file_size),
                  machine.read_memory(segment.phys, segment.file_size));
    }
}

TEST(Dump, IsACoreThatReadersAccept)
{
    QtestMachine machine;
    machine.write_memory(kRam + 0x3000, text("OSRELEASE=test\nPAGESIZE=4096\n"));
    ASSERT_EQ(commit(machine, 0, {kRam + 0x3000, kVirt, 0x1000, 1, 2}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    const auto path = machine.dumps().at(0);
    const auto core = ElfCore::read(path);
    EXPECT_EQ(core.type, ET_CORE);
    EXPECT_EQ(core.machine, EM_AARCH64);
    EXPECT_EQ(core.flags, 0u);
    EXPECT_EQ(core.program_headers_offset, 64u);
    ASSERT_EQ(core.header_types, (std::vector<std::uint32_t>{PT_NOTE, PT_LOAD}));
    EXPECT_EQ(core.segments[0].alignment, 0u);

    struct stat file {
    };
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777, 0600u);
}

TEST(Dump, HasTheRegistersOfEveryCpuAndTheVmcoreinfo)
{
    QtestMachine machine;
    machine.write_memory(kRam + 0x3000, text("OSRELEASE=test\nPAGESIZE=4096\n"));
    ASSERT_EQ(commit(machine, 0, {kRam + 0x3000, kVirt, 0x1000, 1, 2}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    const auto core = ElfCore::read(machine.dumps().at(0));
    std::vector<std::uint32_t> pids;
    std::vector<std::byte> vmcoreinfo;
    for (const auto& note : core.notes) {
        if (note.name == "CORE" && note.type == NT_PRSTATUS) {
            ASSERT_EQ(note.description.size(), 392u);
            pids.push_back(std::to_integer<std::uint32_t>(note.description[32]));
        } else if (note.name == "VMCOREINFO") {
            EXPECT_EQ(note.type, 0u);
            vmcoreinfo = note.description;
        }
    }
    EXPECT_EQ(pids, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(vmcoreinfo, text("OSRELEASE=test\nPAGESIZE=4096\n"));
}

TEST(Dump, DoesNotSeeATornSlot)
{
    QtestMachine machine;
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    fill_slot(machine, 1, {kRam + 0x10000, kVirt + 0x10000, 0x1000, 2});
    ASSERT_EQ(ring(machine), 1u);
    const auto core = ElfCore::read(machine.dumps().at(0));
    ASSERT_EQ(core.segments.size(), 1u);
    EXPECT_EQ(core.segments[0].phys, kRam);
}

TEST(Dump, LeavesOutWhatWasRejected)
{
    QtestMachine machine;
    ASSERT_EQ(commit(machine, 0, {0x09000000, kVirt, 0x1000, 1}), 18u);
    ASSERT_EQ(commit(machine, 1, {kRam, kVirt, 8, 2}), 1u);
    ASSERT_EQ(ring(machine), 2u) << "the guest wanted more than there is";
    EXPECT_EQ(ElfCore::read(machine.dumps().at(0)).segments.size(), 1u);
}

TEST(Dump, SecondOneGetsItsOwnFileAndContents)
{
    QtestMachine machine;
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    machine.write_memory(kRam, text("before.."));
    ASSERT_EQ(ring(machine, kRequest), 1u);
    machine.write_memory(kRam, text("..after"));
    ASSERT_EQ(ring(machine, kPanic), 1u);
    const auto dumps = machine.dumps();
    ASSERT_EQ(dumps.size(), 2u);
    EXPECT_EQ(dumps[0].filename(), "kmemdump-0001-request.elf");
    EXPECT_EQ(dumps[1].filename(), "kmemdump-0002-panic.elf");
    EXPECT_EQ(ElfCore::read(dumps[0]).physical(kRam, 8), text("before.."));
    EXPECT_EQ(ElfCore::read(dumps[1]).physical(kRam, 7), text("..after"));
    EXPECT_EQ(machine.read32(kDumpCount), 2u);
}

TEST(Dump, StormEndsAtTheLimit)
{
    QtestMachine machine("max-dumps=3");
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    for (int i = 0; i < 200; ++i) {
        const std::uint32_t expected = i < 3 ? 1 : 6;
        ASSERT_EQ(ring(machine, kRequest), expected) << i;
    }
    EXPECT_EQ(machine.dumps().size(), 3u);
    EXPECT_EQ(machine.read32(kDumpCount), 3u);
    EXPECT_EQ(machine.read32(kStatus) & 1, 0u);
    const std::string messages = machine.messages();
    const auto warning = messages.find("max-dumps=3 is reached");
    ASSERT_NE(warning, std::string::npos);
    EXPECT_EQ(messages.find("max-dumps=3 is reached", warning + 1), std::string::npos);
}

TEST(Dump, OfNothingMakesNoFile)
{
    QtestMachine machine;
    EXPECT_EQ(ring(machine), 5u);
    EXPECT_TRUE(machine.dumps().empty());
    EXPECT_NE(machine.messages().find("registered no region"), std::string::npos);
}

TEST(Dump, IgnoresReasonsThatOnlyTheHostMayGive)
{
    QtestMachine machine;
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    for (const std::uint32_t reason : {0u, 4u, 16u, 17u, 18u, 19u, 0xffffffffu}) {
        machine.write32(kDoorbell, reason);
        EXPECT_EQ(machine.read32(kStatus) & 2, 0u);
    }
    EXPECT_EQ(machine.read32(kGuestErrors), 7u);
    EXPECT_TRUE(machine.dumps().empty());
}

TEST(Dump, FailsInOneSentenceWhenTheFolderIsGone)
{
    QtestMachine machine("max-dumps=0");
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, 8, 1}), 1u);
    const auto moved = machine.folder().path().string() + "-moved";
    std::filesystem::rename(machine.folder().path(), moved);
    EXPECT_EQ(ring(machine), 4u);
    std::filesystem::rename(moved, machine.folder().path());
    EXPECT_NE(machine.messages().find("no dump (panic): output folder"), std::string::npos);
    EXPECT_EQ(ring(machine), 1u);
}

} // namespace
