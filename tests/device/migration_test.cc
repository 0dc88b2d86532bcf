// SPDX-License-Identifier: GPL-2.0-or-later
//
// The table goes with the guest: to another QEMU, and back in time.
#include "environment.h"
#include "payload_machine.h"
#include "window.h"

#include <gtest/gtest.h>

#include <fstream>

using namespace device;
using support::ElfCore;
using support::PayloadMode;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kGo = 0x48000008;

std::vector<std::string> payload_that_waits()
{
    return {"-kernel", support::required("KMD_PAYLOAD"), "-device",
            "loader,addr=0x48000000,data=" + std::to_string(static_cast<int>(PayloadMode::kWaitAndPanic)) +
                ",data-len=4"};
}

/// A guest with three regions that was moved into a file.
class Migration : public testing::Test
{
  protected:
    void SetUp() override
    {
        QtestMachine source("", payload_that_waits());
        source.qmp().execute("cont");
        wait_until([&] { return source.read32(kRegionCount) == 3; });
        source.qmp().execute("migrate", {{"uri", "exec:cat >" + stream()}});
        wait_until([&] { return source.qmp().execute("query-migrate").value("status", "") == "completed"; });
    }

    std::string stream() const { return folder_.file("stream"); }
    std::vector<std::string> incoming() const { return {"-incoming", "exec:cat " + stream()}; }

    support::RunFolder folder_;
};

TEST_F(Migration, CarriesTheTableToWhereTheGuestCrashes)
{
    QtestMachine target("pause=on", incoming());
    wait_until([&] { return target.qmp().execute("query-status")["status"] != "inmigrate"; });
    EXPECT_EQ(target.read32(kRegionCount), 3u);
    target.qmp().execute("cont");
    target.write32(kGo, 1);
    target.qmp().wait_event("STOP", std::chrono::seconds(20));
    ASSERT_EQ(target.dumps().size(), 1u);
    EXPECT_EQ(target.dumps()[0].filename(), "kmemdump-0001-panic.elf");

    const auto core = ElfCore::read(target.dumps()[0]);
    const std::string words = "made at run time";
    const std::string file(reinterpret_cast<const char*>(core.bytes.data()), core.bytes.size());
    EXPECT_NE(file.find(words), std::string::npos) << "what the source's guest wrote";
    for (const auto& segment : core.segments) {
        EXPECT_EQ(core.physical(segment.phys, segment.file_size),
                  target.read_memory(segment.phys, segment.file_size));
    }
}

TEST_F(Migration, ToAControllerOfAnotherSizeIsRefusedInOneSentence)
{
    auto more = incoming();
    QtestMachine target("slots=100", more);
    EXPECT_EQ(target.wait_for_the_end(), 1);
    EXPECT_NE(target.messages().find("kmemdump-md: the incoming state has 512 slots, this controller has "
                                     "100: give it slots=512"),
              std::string::npos)
        << target.messages();
    EXPECT_TRUE(target.dumps().empty());
}

TEST_F(Migration, ToAControllerThatTakesFewerRegionsIsRefusedInOneSentence)
{
    QtestMachine target("max-regions=2", incoming());
    EXPECT_EQ(target.wait_for_the_end(), 1);
    EXPECT_NE(
        target.messages().find("kmemdump-md: the incoming state cannot be used: it has more regions than "
                               "the 2 that this controller takes"),
        std::string::npos)
        << target.messages();
}

/// A disk that holds snapshots.
class Snapshot : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(
            support::run({"qemu-img", "create", "-f", "qcow2", folder_.file("disk.qcow2"), "1M"}).status, 0);
    }

    std::vector<std::string> disk(std::vector<std::string> more = {}) const
    {
        more.insert(more.end(), {"-drive", "if=none,format=qcow2,file=" + folder_.file("disk.qcow2")});
        return more;
    }

    static std::string hmp(QtestMachine& machine, const std::string& line)
    {
        return machine.qmp().execute("human-monitor-command", {{"command-line", line}}).get<std::string>();
    }

    support::RunFolder folder_;
};

TEST_F(Snapshot, LoadedAgainAndAgainIsNoResetOfTheGuests)
{
    QtestMachine machine("", disk(payload_that_waits()));
    machine.qmp().execute("cont");
    wait_until([&] { return machine.read32(kRegionCount) == 3; });
    EXPECT_EQ(hmp(machine, "savevm ready"), "");
    for (int i = 0; i < 17; ++i) {
        ASSERT_EQ(hmp(machine, "loadvm ready"), "");
    }
    machine.qmp().execute("stop");
    ASSERT_EQ(hmp(machine, "loadvm ready"), "");
    EXPECT_TRUE(machine.dumps().empty()) << machine.messages();
    EXPECT_EQ(machine.read32(kLastResult), 0u);

    machine.qmp().execute("cont");
    machine.write32(kGo, 1);
    wait_until([&] { return machine.read32(kDumpCount) == 1; });
    ASSERT_EQ(machine.dumps().size(), 1u) << machine.messages();
    EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf");
}

TEST_F(Snapshot, NeitherGivesTheLimitOfDumpsBackNorTakesOfIt)
{
    QtestMachine machine("max-dumps=2", disk());
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    EXPECT_EQ(hmp(machine, "savevm before"), "");
    for (const std::uint32_t expected : {1u, 1u, 6u}) {
        EXPECT_EQ(ring(machine), expected);
        EXPECT_EQ(hmp(machine, "loadvm before"), "");
        EXPECT_EQ(hmp(machine, "loadvm before"), "");
    }
    EXPECT_EQ(machine.dumps().size(), 2u);
}

TEST_F(Snapshot, BringsTheTableBack)
{
    QtestMachine machine("", disk());
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    ASSERT_EQ(commit(machine, 5, {kRam + 0x9000, 0xffff800080009000, 0x123, 2, 0, "kept"}), 1u);
    EXPECT_EQ(hmp(machine, "savevm before"), "");
    machine.write32(kResetTable, 1);
    ASSERT_EQ(machine.read32(kRegionCount), 0u);
    EXPECT_EQ(hmp(machine, "loadvm before"), "");
    EXPECT_EQ(machine.read32(kRegionCount), 2u);
    EXPECT_EQ(machine.read64(slot(5) + 0x10), 0x123u);
    ASSERT_EQ(ring(machine), 1u);
    EXPECT_EQ(machine.read32(kLastRegions), 2u);
}

} // namespace
