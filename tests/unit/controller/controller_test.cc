// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the way from the doorbell to the result: sections 7 and 8 of docs/register-spec.md, the
// limits that the host sets, and what the host is told.
#include "child_process.h"
#include "core_reader.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <elf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <limits>

namespace
{

using kmd::Config;
using kmd::Controller;
using kmd::test::bytes_of;
using kmd::test::CoreReader;
using kmd::test::FakeHost;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::make_file;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

/// The error that a configuration gives; empty when it is accepted.
std::string creation_error(const Config& config, const kmd::Machine& cpus = {.elf_machine = 183})
{
    FakeHost host;
    host.cpus = cpus;
    const auto created = Controller::create(config, host);
    return created ? "" : created.error().what;
}

Config config_in(const TempDir& folder)
{
    auto config = small_config();
    config.output = folder.path();
    return config;
}

TEST(Configuration, OfASensibleMachineIsAccepted)
{
    const TempDir folder;
    for (const std::uint64_t slots : {1u, 201u, 65536u}) {
        auto config = config_in(folder);
        config.slots = slots;
        config.max_regions = slots;
        EXPECT_EQ(creation_error(config), "");
    }
    EXPECT_TRUE(names_in(folder.path()).empty()) << "nothing is left behind";
}

TEST(Configuration, RefusesSlotCountsOutOfRange)
{
    const TempDir folder;
    for (const std::uint64_t slots : {std::uint64_t{0}, std::uint64_t{65537}, std::uint64_t{0x100000001},
                                      std::numeric_limits<std::uint64_t>::max()}) {
        auto config = config_in(folder);
        config.slots = slots;
        const auto error = creation_error(config);
        EXPECT_NE(error.find("slots=" + std::to_string(slots)), std::string::npos) << error;
        EXPECT_NE(error.find("65536"), std::string::npos) << error;
    }
}

TEST(Configuration, RefusesMoreRegionsThanSlots)
{
    const TempDir folder;
    for (const std::uint64_t max_regions : {std::uint64_t{17}, std::uint64_t{0x100000000}}) {
        auto config = config_in(folder);
        config.max_regions = max_regions;
        const auto error = creation_error(config);
        EXPECT_NE(error.find("max-regions=" + std::to_string(max_regions)), std::string::npos) << error;
        EXPECT_NE(error.find("slots=16"), std::string::npos) << error;
    }
}

TEST(Configuration, RefusesCpusThatAreNot64BitLittleEndian)
{
    const TempDir folder;
    const auto config = config_in(folder);
    EXPECT_NE(creation_error(config, {40, 1, 1}).find("64-bit little-endian"), std::string::npos);
    EXPECT_EQ(creation_error(config, {183, 0, 0}),
              "the machine has no CPU: a controller needs a -M that has one");
    EXPECT_NE(creation_error(config, {183, 2, 2}).find("64-bit little-endian"), std::string::npos);
}

TEST(Configuration, OfACpuIsTakenFromTheMachineWhenADumpIs)
{
    TestMachine machine(small_config());
    machine.host.cpus = {.elf_machine = EM_386, .elf_class = ELFCLASS32};
    machine.add(0, ram_region(0, 0x1000));
    machine.dump();
    EXPECT_EQ(machine.last_result(), unsigned{KMD_RESULT_FAILED});
    EXPECT_EQ(machine.controller->last_error(),
              "the guest's CPUs are not 64-bit little-endian, which is all that can be dumped");
    machine.host.cpus = {.elf_machine = EM_X86_64};
    machine.dump();
    EXPECT_EQ(machine.last_result(), unsigned{KMD_RESULT_COMPLETE});
    EXPECT_EQ(kmd::test::CoreReader(kmd::test::bytes_of(machine.controller->last_file())).header.e_machine,
              EM_X86_64);
}

TEST(Pause, IsWantedOnceAfterEachAttemptAndOnlyWhenConfigured)
{
    auto config = small_config();
    config.pause = true;
    TestMachine machine(config);
    EXPECT_FALSE(machine.controller->wants_pause());
    machine.dump();
    EXPECT_TRUE(machine.controller->wants_pause()) << "an attempt that made no file is one";
    EXPECT_FALSE(machine.controller->wants_pause());
    machine.add(0, ram_region(0, 0x1000));
    machine.dump();
    machine.dump(2);
    EXPECT_TRUE(machine.controller->wants_pause());
    EXPECT_FALSE(machine.controller->wants_pause());
    TestMachine without;
    without.dump();
    EXPECT_FALSE(without.controller->wants_pause());
}

TEST(Configuration, RefusesAnOutputThatIsNoFolder)
{
    const TempDir folder;
    auto config = config_in(folder);
    config.output = folder / "missing";
    EXPECT_NE(creation_error(config).find(folder / "missing"), std::string::npos);
    make_file(folder / "file", "");
    config.output = folder / "file";
    EXPECT_NE(creation_error(config).find("Not a directory"), std::string::npos);
    config.output = "";
    EXPECT_NE(creation_error(config).find("output="), std::string::npos);
}

TEST(Configuration, OutputStaysTheFolderItWasWhenTheProcessMovesOn)
{
    const TempDir folder;
    const TempDir elsewhere;
    const auto child = kmd::test::in_child([&]() -> std::string {
        kmd::test::must(::chdir(folder.path().c_str()) == 0, "chdir");
        FakeHost host;
        host.guest.add_ram(kRam, 0x1000);
        auto config = small_config();
        config.output = ".";
        auto created = Controller::create(config, host);
        if (!created) {
            return created.error().what;
        }
        Controller& controller = *created.value();
        controller.write(0x1000, kRam, 8);
        controller.write(0x1010, 0x1000, 8);
        controller.write(0x1038, 1, 4);
        kmd::test::must(::chdir(elsewhere.path().c_str()) == 0, "chdir");
        controller.write(0x020, 1, 4);
        host.run_scheduled(controller);
        return joined(host.reports);
    });
    EXPECT_NE(child.find(folder / "kmemdump-0001-panic.elf"), std::string::npos) << child;
    EXPECT_EQ(names_in(folder.path()).size(), 1u);
    EXPECT_TRUE(names_in(elsewhere.path()).empty());
}

TEST(Doorbell, SchedulesADumpThatTheHostTakesLater)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 1);
    EXPECT_EQ(m.host.scheduled, 1);
    EXPECT_EQ(m.read32(0x024), 3u) << "STATUS: READY and BUSY";
    EXPECT_TRUE(names_in(m.folder.path()).empty()) << "not before the CPUs are stopped";
    EXPECT_EQ(m.last_result(), 0u);
    EXPECT_EQ(m.read32(0x040), 0u);

    m.host.run_scheduled(*m.controller);
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: READY";
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x044), 1u) << "LAST_REASON: PANIC";
    EXPECT_EQ(m.read32(0x048), 1u) << "LAST_RESULT: COMPLETE";
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 8192u) << "LAST_BYTES";
    EXPECT_GT(m.read64(0x058), 0u) << "LAST_NANOSECONDS";
    EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED";
}

TEST(Doorbell, WhileBusyIsAGuestErrorAndStartsNothing)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 2);
    m.write32(0x020, 1);
    m.write32(0x020, 1);
    EXPECT_EQ(m.guest_errors(), 2u);
    EXPECT_EQ(m.host.scheduled, 1);
    m.host.run_scheduled(*m.controller);
    EXPECT_EQ(m.read32(0x044), 2u) << "LAST_REASON is that of the first ring";
    EXPECT_EQ(m.read32(0x040), 1u);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-request.elf"});
}

TEST(Doorbell, WorksAgainAfterADump)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    m.dump(2);
    m.dump(1);
    EXPECT_EQ(m.read32(0x040), 3u);
    EXPECT_EQ(joined(names_in(m.folder.path())), "kmemdump-0001-request.elf\n"
                                                 "kmemdump-0002-request.elf\n"
                                                 "kmemdump-0003-panic.elf\n");
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Doorbell, DumpThatNobodyAskedForIsNotTaken)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.controller->take_dump();
    EXPECT_EQ(m.last_result(), 0u) << "RESULT_NONE";
    m.dump();
    m.controller->take_dump();
    EXPECT_EQ(m.read32(0x040), 1u);
    EXPECT_EQ(names_in(m.folder.path()).size(), 1u);
}

TEST(Doorbell, RegionsAreReadAsTheyAreWhenTheDumpIsTaken)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.host.guest.fill(kRam, 0x1000, 0x11);
    m.write32(0x020, 1);
    m.host.guest.fill(kRam, 0x1000, 0x22);
    m.host.run_scheduled(*m.controller);
    const CoreReader core(bytes_of(m.folder / "kmemdump-0001-panic.elf"));
    EXPECT_EQ(core.read_phys(kRam, 0x1000), std::vector<std::byte>(0x1000, std::byte{0x22}));
}

TEST(Result, CompleteIsReportedToTheHostWithPathAndSize)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, ram_region(0x4000, 0x2000)), 1u);
    m.dump();
    EXPECT_TRUE(m.host.warnings.empty()) << joined(m.host.warnings);
    ASSERT_EQ(m.host.reports.size(), 1u);
    const std::string& line = m.host.reports[0];
    EXPECT_NE(line.find(m.folder / "kmemdump-0001-panic.elf"), std::string::npos) << line;
    EXPECT_NE(line.find("2 regions"), std::string::npos) << line;
    EXPECT_NE(line.find("16384 bytes"), std::string::npos) << line;
    EXPECT_EQ(line.find("rejected"), std::string::npos) << line;
}

TEST(Result, PartialWhenARegionIsNoLongerRam)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {0x50000000, kVirt, 0x1000, "unplugged", 0, 0}), 1u);
    ASSERT_EQ(m.add(2, ram_region(0, 0x2000)), 2u);
    m.host.guest.unplug(0x50000000);
    m.dump();
    EXPECT_EQ(m.last_result(), 2u) << "RESULT_PARTIAL";
    EXPECT_EQ(m.read32(0x04c), 2u) << "LAST_REGIONS";
    EXPECT_EQ(m.read32(0x060), 1u) << "LAST_REJECTED";
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT: it reached the host whole";
    EXPECT_EQ(m.slot_status(0), 1u);
    EXPECT_EQ(m.slot_status(1), 18u) << "SLOT_NOT_RAM";
    EXPECT_EQ(m.slot_valid(1), 1u) << "but it stays valid";
    EXPECT_EQ(m.slot_status(2), 2u);
    EXPECT_EQ(m.read32(0x02c), 3u) << "REGION_COUNT";
    EXPECT_NE(joined(m.host.guest_errors).find("unplugged"), std::string::npos);
    EXPECT_NE(joined(m.host.reports).find("1 regions rejected"), std::string::npos);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_EQ(m.guest_errors(), 0u);

    m.host.guest.plug(0x50000000);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 1u) << "RESULT_COMPLETE, when the memory is back";
    EXPECT_EQ(m.slot_status(1), 1u) << "SLOT_OK again";
    EXPECT_EQ(m.slot_status(2), 2u) << "SLOT_OK_OVERLAP is kept";
    EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED";
}

TEST(Result, IncompleteWhenTheHostCannotWriteEverything)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {0x50000000, kVirt + 0x10000000, 0x1000, "broken", 0, 0}), 1u);
    m.host.guest.make_unreadable(0x50000000);
    m.dump();
    EXPECT_EQ(m.last_result(), 3u) << "RESULT_INCOMPLETE";
    EXPECT_EQ(m.read64(0x050), 8192u) << "LAST_BYTES: head and first region";
    EXPECT_EQ(m.read32(0x040), 0u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS";
    const std::string name = "kmemdump-0001-panic.elf.incomplete";
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{name});
    EXPECT_EQ(CoreReader(bytes_of(m.folder / name)).header.e_flags, 1u);
    EXPECT_TRUE(m.host.reports.empty());
    ASSERT_EQ(m.host.warnings.size(), 1u);
    EXPECT_NE(m.host.warnings[0].find(m.folder / name), std::string::npos) << m.host.warnings[0];
    EXPECT_NE(m.host.warnings[0].find("Bad address"), std::string::npos) << m.host.warnings[0];
}

TEST(Result, IncompleteOnAFullDiskIsSurvived)
{
    TestMachine m;
    m.host.guest.fill_pattern(kRam, 0x10000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x10000)), 1u);
    const auto child = kmd::test::in_child([&]() -> std::string {
        const rlimit limits{0x8000, 0x8000};
        kmd::test::must(::setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");
        m.dump();
        return std::to_string(m.last_result()) + " " + std::to_string(m.read64(0x050)) + " " +
               joined(m.host.warnings);
    });
    EXPECT_EQ(child.substr(0, 8), "3 32768 ") << child;
    EXPECT_NE(child.find("File too large"), std::string::npos) << child;
}

TEST(Result, FailedWhenTheFolderIsGone)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.folder.remove();
    m.dump(2);
    EXPECT_EQ(m.last_result(), 4u) << "RESULT_FAILED";
    EXPECT_EQ(m.read32(0x044), 2u) << "LAST_REASON";
    EXPECT_EQ(m.read64(0x050), 0u) << "LAST_BYTES";
    EXPECT_EQ(m.read32(0x040), 0u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS";
    ASSERT_EQ(m.host.warnings.size(), 1u);
    EXPECT_NE(m.host.warnings[0].find(m.folder.path()), std::string::npos) << m.host.warnings[0];
}

TEST(Result, FailedCountsNoRegionAsSaved)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.folder.remove();
    m.dump();
    ASSERT_EQ(m.last_result(), 4u) << "RESULT_FAILED: nothing was written";
    EXPECT_EQ(m.read32(0x04c), 0u) << "LAST_REGIONS: regions saved by the last attempt";
}

TEST(Result, EmptyWhenNoRegionIsValid)
{
    TestMachine m;
    m.dump();
    EXPECT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
    EXPECT_EQ(m.read32(0x044), 1u) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x040), 0u);
    EXPECT_TRUE(names_in(m.folder.path()).empty());
    EXPECT_EQ(m.host.warnings.size(), 1u);
    EXPECT_TRUE(m.host.reports.empty());
    EXPECT_EQ(m.read32(0x024), 1u);
}

TEST(Result, EmptyWhenThereIsOnlyTheGuestsElfHeader)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, {kRam, kVirt, 0x1000, "ELF", 1, 1}), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(Result, SaysHowLongTheGuestWasHeldWhateverCameOfIt)
{
    TestMachine m;
    m.dump();
    ASSERT_EQ(m.last_result(), 5u);
    EXPECT_GT(m.read64(0x058), 0u);
}

// The host keeps its messages somewhere: a guest must not be able to fill that either.
TEST(Result, ThatMakesNoFileIsReportedABoundedNumberOfTimes)
{
    TestMachine m;
    for (int i = 0; i < 1000; ++i) {
        m.dump();
    }
    EXPECT_EQ(m.host.warnings.size(), 16u);
    EXPECT_NE(m.host.warnings.back().find("no more of these"), std::string::npos);
}

TEST(Result, EmptyWhenEveryRegionIsRejected)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x2000);
    ASSERT_EQ(m.add(0, {0x50000000, kVirt, 0x1000, "a", 0, 0}), 1u);
    ASSERT_EQ(m.add(1, {0x50001000, kVirt, 0x1000, "b", 0, 0}), 1u);
    m.host.guest.unplug(0x50000000);
    m.dump();
    EXPECT_EQ(m.last_result(), 5u);
    EXPECT_EQ(m.read32(0x04c), 0u) << "LAST_REGIONS";
    EXPECT_EQ(m.read32(0x060), 2u) << "LAST_REJECTED";
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(Result, DescribesOneAttemptOnly)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {0x50000000, kVirt, 0x1000, "a", 0, 0}), 1u);
    m.host.guest.unplug(0x50000000);
    m.dump(1);
    ASSERT_EQ(m.last_result(), 2u);
    m.write32(0x028, 1);
    m.dump(2);
    EXPECT_EQ(m.read32(0x044), 2u) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x048), 5u) << "LAST_RESULT";
    EXPECT_EQ(m.read32(0x04c), 0u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 0u) << "LAST_BYTES";
    EXPECT_EQ(m.read32(0x060), 0u) << "LAST_REJECTED";
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT";
}

kmd::Config one_dump()
{
    auto config = small_config();
    config.max_dumps = 1;
    return config;
}

/// Takes the one dump, and finds the limit reached.
void exhaust(TestMachine& m)
{
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    m.dump(2);
    ASSERT_EQ(m.last_result(), 6u) << "RESULT_LIMIT";
}

TEST(Limit, OfDumpsEndsThemWithOneWarningHoweverOftenTheGuestRings)
{
    auto config = small_config();
    config.max_dumps = 2;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: READY";
    m.dump(2);
    EXPECT_EQ(m.read32(0x024), 0u) << "STATUS: not READY, both are used up";
    for (int i = 0; i < 100; ++i) {
        m.dump(1);
        ASSERT_EQ(m.last_result(), 6u) << "RESULT_LIMIT";
        ASSERT_EQ(m.read32(0x024), 0u) << "STATUS: not READY";
    }
    ASSERT_EQ(m.host.warnings.size(), 1u) << joined(m.host.warnings);
    EXPECT_NE(m.host.warnings[0].find("max-dumps=2"), std::string::npos);
    EXPECT_EQ(m.host.reports.size(), 2u);
    EXPECT_EQ(m.read32(0x040), 2u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x044), 1u) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x04c), 0u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 0u) << "LAST_BYTES";
    EXPECT_EQ(names_in(m.folder.path()).size(), 2u);
    EXPECT_EQ(m.guest_errors(), 0u);
}

TEST(Limit, OutlivesAReset)
{
    TestMachine m(one_dump());
    exhaust(m);
    m.controller->reset();
    EXPECT_EQ(m.read32(0x024), 0u) << "STATUS: not READY";
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 6u);
    EXPECT_EQ(m.host.warnings.size(), 1u);
    EXPECT_EQ(names_in(m.folder.path()).size(), 1u);
}

TEST(Limit, StaysReachedAfterADumpForTheHost)
{
    TestMachine m(one_dump());
    exhaust(m);
    ASSERT_FALSE(m.controller->request_dump("host"));
    ASSERT_EQ(m.last_result(), 1u);
    EXPECT_EQ(m.read32(0x024), 0u) << "STATUS: not READY";
    EXPECT_STREQ(m.controller->state_text(), "limit");
}

TEST(Limit, IsThatOfTheHostAfterAMigration)
{
    TestMachine source(one_dump());
    exhaust(source);
    TestMachine target(one_dump());
    ASSERT_FALSE(target.controller->load_state(source.controller->save_state()));
    EXPECT_EQ(target.last_result(), 6u);
    EXPECT_EQ(target.read32(0x024), 1u) << "STATUS: READY";
    target.dump(2);
    EXPECT_EQ(target.last_result(), 1u);
    EXPECT_EQ(target.read32(0x024), 0u) << "STATUS: not READY";
}

TEST(Limit, CountsIncompleteFiles)
{
    auto config = small_config();
    config.max_dumps = 1;
    TestMachine m(config);
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, {0x50000000, kVirt, 0x1000, "broken", 0, 0}), 1u);
    m.host.guest.make_unreadable(0x50000000);
    m.dump();
    ASSERT_EQ(m.last_result(), 3u);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 6u);
    EXPECT_EQ(names_in(m.folder.path()).size(), 1u);
}

TEST(Limit, DoesNotCountAttemptsThatMadeNoFile)
{
    auto config = small_config();
    config.max_dumps = 1;
    TestMachine m(config);
    m.dump();
    m.dump();
    ASSERT_EQ(m.last_result(), 5u);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 1u);
}

TEST(Limit, OfAttemptsThatLookedForMemoryAndMadeNoFileEndsThemAtOnce)
{
    auto config = small_config();
    config.max_dumps = 3;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, {kRam, kVirt, 0x1000, "ELF", 1, 1}), 1u);
    for (int i = 0; i < 3; ++i) {
        m.dump();
        ASSERT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
    }
    const auto looks = m.host.guest.maps;
    for (int i = 0; i < 100; ++i) {
        m.dump();
        ASSERT_EQ(m.last_result(), 6u) << "RESULT_LIMIT";
    }
    EXPECT_EQ(m.host.guest.maps, looks) << "no look at the guest's memory";
    EXPECT_NE(joined(m.host.warnings).find("max-dumps=3 is reached by attempts that made no file"),
              std::string::npos);
    m.controller->reset();
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 6u) << "a reset gives none back";
    EXPECT_FALSE(m.controller->request_dump("host")) << "the host is not bound by it";
}

TEST(Limit, OfBytesThatIsReachedBoundsTheAttemptsToo)
{
    auto config = small_config();
    config.max_dumps = 2;
    config.max_bytes = 1;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump();
    m.dump();
    const auto looks = m.host.guest.maps;
    m.dump();
    EXPECT_EQ(m.last_result(), 6u);
    EXPECT_EQ(m.host.guest.maps, looks);
}

TEST(Limit, OfZeroIsNone)
{
    auto config = small_config();
    config.max_dumps = 0;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 16)), 1u);
    for (std::uint32_t i = 1; i <= 40; ++i) {
        m.dump(2);
        ASSERT_EQ(m.last_result(), 1u);
        ASSERT_EQ(m.read32(0x040), i);
    }
    EXPECT_EQ(names_in(m.folder.path()).size(), 40u);
    EXPECT_TRUE(m.host.warnings.empty());
}

TEST(Reset, TakesADumpThatIsPendingBeforeItClearsTheTable)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 1);
    m.controller->reset();
    EXPECT_EQ(m.last_result(), 1u) << "RESULT_COMPLETE";
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS";
    EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: no longer BUSY";
    EXPECT_EQ(m.read32(0x02c), 0u) << "REGION_COUNT";
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    m.host.run_scheduled(*m.controller);
    EXPECT_EQ(m.last_result(), 1u) << "the dump that was scheduled is not taken again";
    EXPECT_EQ(names_in(m.folder.path()).size(), 1u);
}

TEST(Reset, WithNothingPendingTakesNoDump)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.controller->reset();
    EXPECT_EQ(m.last_result(), 0u) << "RESULT_NONE";
    EXPECT_TRUE(names_in(m.folder.path()).empty());
    EXPECT_TRUE(m.host.warnings.empty());
}

TEST(Reset, LetsTheNextKernelAskWhatBecameOfThePreviousOne)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {0x50000000, kVirt, 0x1000, "a", 0, 0}), 1u);
    m.host.guest.unplug(0x50000000);
    m.dump(1);
    m.controller->reset();
    m.controller->reset();
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x044), 1u) << "LAST_REASON";
    EXPECT_EQ(m.read32(0x048), 2u) << "LAST_RESULT";
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS";
    EXPECT_EQ(m.read64(0x050), 8192u) << "LAST_BYTES";
    EXPECT_GT(m.read64(0x058), 0u) << "LAST_NANOSECONDS";
    EXPECT_EQ(m.read32(0x060), 1u) << "LAST_REJECTED";
}

TEST(MachineEvent, TakesADumpAtOnce)
{
    for (const auto& [event, reason, name] :
         {std::tuple(KMD_EVENT_RESET, 17u, "reset"), std::tuple(KMD_EVENT_SHUTDOWN, 18u, "shutdown"),
          std::tuple(KMD_EVENT_PANIC, 1u, "panic")}) {
        TestMachine m;
        ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
        m.controller->machine_event(event);
        EXPECT_EQ(m.read32(0x044), reason) << "LAST_REASON";
        EXPECT_EQ(names_in(m.folder.path()),
                  std::vector<std::string>{std::string("kmemdump-0001-") + name + ".elf"});
    }
}

TEST(MachineEvent, ThatIsNotWantedTakesNone)
{
    Config config = small_config();
    config.on_reset = false;
    config.on_shutdown = false;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    for (const auto event : {KMD_EVENT_RESET, KMD_EVENT_SHUTDOWN, KMD_EVENT_QUIT}) {
        m.controller->machine_event(event);
    }
    EXPECT_TRUE(names_in(m.folder.path()).empty());
    EXPECT_EQ(m.last_result(), 0u);
}

TEST(MachineEvent, WithNoRegionIsSilent)
{
    TestMachine m;
    m.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(m.last_result(), 0u) << "not even an attempt";
    EXPECT_TRUE(m.host.warnings.empty());
}

TEST(MachineEvent, AfterAPanicBelongsToThatPanic)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(1);
    m.controller->machine_event(KMD_EVENT_PANIC);
    m.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_EQ(m.read32(0x044), 1u) << "LAST_REASON is still the panic";
}

TEST(Panic, ThatFollowsAnotherIsTheSameIncident)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(1);
    const auto nanoseconds = m.read64(0x058);
    ASSERT_EQ(m.add(1, ram_region(0x4000, 0x1000)), 1u);
    for (int i = 0; i < 100; ++i) {
        m.write32(0x020, 1);
        EXPECT_EQ(m.read32(0x024), 1u) << "STATUS: BUSY is clear at once";
        EXPECT_EQ(m.host.scheduled, 0);
    }
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_EQ(m.read32(0x040), 1u) << "DUMP_COUNT";
    EXPECT_EQ(m.read32(0x04c), 1u) << "LAST_REGIONS is the first's";
    EXPECT_EQ(m.read64(0x058), nanoseconds) << "LAST_NANOSECONDS is the first's";
    EXPECT_EQ(m.guest_errors(), 0u);
    EXPECT_EQ(m.host.done.size(), 1u);
}

TEST(Panic, ThatFollowsAnotherLeavesTheFirstInTheOneFile)
{
    const TempDir folder;
    auto config = small_config();
    config.file = folder / "last.elf";
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.host.guest.fill(kRam, 0x1000, 0x11);
    m.dump(1);
    m.host.guest.fill(kRam, 0x1000, 0x22);
    m.dump(1);
    const CoreReader core(bytes_of(folder / "last.elf"));
    EXPECT_EQ(core.read_phys(kRam, 0x1000), std::vector<std::byte>(0x1000, std::byte{0x11}));
}

TEST(Panic, OfTheNextBootIsDumped)
{
    TestMachine m;
    for (int i = 0; i < 2; ++i) {
        ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
        m.dump(1);
        m.controller->reset();
    }
    EXPECT_EQ(m.read32(0x040), 2u) << "DUMP_COUNT";
}

TEST(Panic, DoesNotKeepARequestFromItsDump)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(1);
    m.dump(2);
    EXPECT_EQ(joined(names_in(m.folder.path())), "kmemdump-0001-panic.elf\nkmemdump-0002-request.elf\n");
    m.dump(1);
    EXPECT_EQ(m.read32(0x040), 2u);
}

TEST(MachineEvent, AfterARequestIsAnIncidentOfItsOwn)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    m.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0001-request.elf", "kmemdump-0002-reset.elf"}));
}

TEST(MachineEvent, OfTheNextBootIsAnIncidentOfItsOwn)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(1);
    m.controller->machine_event(KMD_EVENT_RESET);
    m.controller->reset();
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0001-panic.elf", "kmemdump-0002-reset.elf"}));
}

TEST(MachineEvent, AfterAPanicWithoutAFileIsDumped)
{
    TestMachine m;
    m.dump(1);
    ASSERT_EQ(m.last_result(), 5u) << "RESULT_EMPTY";
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-reset.elf"});
}

TEST(MachineEvent, TakesThePendingDumpFirst)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 1);
    m.controller->machine_event(KMD_EVENT_SHUTDOWN);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
}

TEST(HostRequest, TakesADumpWhateverTheLimitOfTheGuest)
{
    Config config = small_config();
    config.max_dumps = 1;
    TestMachine m(config);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    EXPECT_FALSE(m.controller->request_dump("host"));
    EXPECT_FALSE(m.controller->request_dump("hang"));
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0001-request.elf", "kmemdump-0002-host.elf",
                                        "kmemdump-0003-hang.elf"}));
    m.dump(2);
    EXPECT_EQ(m.last_result(), 6u) << "RESULT_LIMIT: the guest's own";
}

TEST(HostRequest, SaysWhyThereIsNoDump)
{
    TestMachine m;
    const auto error = m.controller->request_dump("host");
    ASSERT_TRUE(error);
    EXPECT_EQ(error->what, "there is no complete dump: the guest has no region that can be saved");
}

TEST(HostRequest, ShowsNoControlCharacterOfAReason)
{
    TestMachine m;
    EXPECT_EQ(m.controller->request_dump("\x1b]0;owned\a\n\xc3")->what,
              "'?]0;owned??\?' is not a reason for a dump: expected 'host' or 'hang'");
    EXPECT_LT(m.controller->request_dump(std::string(1000000, 'x'))->what.size(), 200u);
}

TEST(ShutDown, TakesADumpThatIsPending)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.write32(0x020, 1);
    m.controller->shut_down();
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_TRUE(m.host.warnings.empty()) << joined(m.host.warnings);
}

/// What it says besides if it searched for a kernel.
const std::string kNoKernel = "its memory has no vmcoreinfo of a Linux kernel either, as when one ends "
                              "within about a second of its start, or is built without CONFIG_VMCORE_INFO "
                              "(before 6.9 CONFIG_CRASH_CORE); ";

TEST(ShutDown, SaysSoWhenTheGuestNeverRegisteredARegion)
{
    TestMachine m;
    ASSERT_EQ(m.add(0, ram_region(0, 0)), 16u) << "a rejected one does not count";
    m.controller->shut_down();
    EXPECT_EQ(joined(m.host.warnings),
              "the guest ended without ever registering a region, so there is no dump; " + kNoKernel +
                  "a driver did find the controller: the guest's log says what became of it\n");
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(ShutDown, SaysSoWhenTheGuestNeverFoundTheController)
{
    TestMachine m;
    m.controller->reset();
    m.controller->shut_down();
    EXPECT_EQ(
        joined(m.host.warnings),
        "the guest ended without ever registering a region, so there is no dump; " + kNoKernel +
            "no driver found the controller: load kmemdump.ko and kmemdump_md.ko in the guest, early; "
            "a guest that starts with ACPI or another -dtb than QEMU's finds only -device kmemdump-md-pci\n");
}

TEST(ShutDown, GivesAdviceThatFitsAPciFunction)
{
    kmd::Config config;
    config.pci = true;
    config.linux_capture = "off";
    TestMachine m(config);
    m.controller->shut_down();
    EXPECT_EQ(joined(m.host.warnings),
              "the guest ended without ever registering a region, so there is no dump; no driver found the "
              "controller: load kmemdump.ko and kmemdump_md.ko in the guest, early; its kernel needs "
              "CONFIG_PCI\n");
}

TEST(ShutDown, IsSilentWhenTheGuestHadRegisteredARegionBefore)
{
    for (const bool by_reset : {false, true}) {
        TestMachine m;
        ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
        if (by_reset) {
            m.controller->reset();
        } else {
            m.invalidate(0);
        }
        m.controller->shut_down();
        EXPECT_TRUE(m.host.warnings.empty()) << joined(m.host.warnings);
        EXPECT_TRUE(names_in(m.folder.path()).empty());
    }
}

TEST(Numbers, FollowTheDumpsThatAreThereAlready)
{
    TestMachine m;
    make_file(m.folder / "kmemdump-0001-panic.elf", "from yesterday");
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump(2);
    m.dump(2);
    EXPECT_EQ(joined(names_in(m.folder.path())),
              "kmemdump-0001-panic.elf\nkmemdump-0002-request.elf\nkmemdump-0003-request.elf\n");
    EXPECT_EQ(bytes_of(m.folder / "kmemdump-0001-panic.elf").size(), 14u);
}

TEST(Notes, OfTheCpusReachTheFile)
{
    TestMachine m;
    m.host.notes.assign(20, std::byte{0});
    m.host.notes[0] = std::byte{5};
    m.host.notes[8] = std::byte{1};
    std::memcpy(&m.host.notes[12], "CORE", 4);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    m.dump();
    const auto notes = CoreReader(bytes_of(m.folder / "kmemdump-0001-panic.elf")).notes();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].name, std::string("CORE\0", 5));
}

TEST(Log, OfATriggerShowsNoControlCharacterOfAName)
{
    TestMachine m;
    m.host.guest.add_ram(0x50000000, 0x1000);
    ASSERT_EQ(m.add(0, ram_region(0, 0x1000)), 1u);
    ASSERT_EQ(m.add(1, {0x50000000, kVirt, 0x1000, "\x1b]0;owned\a\n", 0, 0}), 1u);
    m.host.guest.unplug(0x50000000);
    m.dump();
    const auto lines = {m.host.guest_errors, m.host.reports, m.host.warnings};
    std::size_t seen = 0;
    for (const auto& group : lines) {
        for (const std::string& line : group) {
            ++seen;
            for (const char c : line) {
                EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << line;
            }
        }
    }
    EXPECT_GE(seen, 2u);
    EXPECT_NE(joined(m.host.guest_errors).find("?]0;owned??"), std::string::npos);
}

} // namespace
