// SPDX-License-Identifier: GPL-2.0-or-later
//
// `kmdump run` with the stock kernel: every exit status that docs/run.md lists, and the dump.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>

using nlohmann::json;
using support::Finished;
using support::required;
using support::RunFolder;
using namespace std::chrono_literals;

namespace
{

std::vector<std::string> command(const RunFolder& folder, const std::vector<std::string>& more)
{
    std::vector<std::string> command = {required("KMD_KMDUMP"),
                                        "run",
                                        "--kernel",
                                        required("KMD_KERNEL"),
                                        "--initrd",
                                        required("KMD_INITRD"),
                                        "--memory",
                                        "256M",
                                        "--output",
                                        folder.file("run")};
    command.insert(command.end(), more.begin(), more.end());
    return command;
}

Finished run(const RunFolder& folder, const std::vector<std::string>& more)
{
    return support::run(command(folder, more), 300s);
}

/// The outcome as JSON, which has to agree with the exit status.
json outcome(const RunFolder& folder, std::vector<std::string> more, int status)
{
    more.insert(more.begin(), "--json");
    const Finished finished = run(folder, more);
    EXPECT_EQ(finished.status, status) << finished.output;
    const auto start = finished.output.find("{\n");
    EXPECT_NE(start, std::string::npos) << finished.output;
    json found = json::parse(finished.output.substr(start), nullptr, false);
    EXPECT_EQ(found.value("exit_status", -1), status) << finished.output;
    return found;
}

TEST(KmdumpRunGuest, ThatPanicsIsThreeWithTheDumpAndTheConsole)
{
    const RunFolder folder;
    const Finished finished = run(folder, {});
    EXPECT_EQ(finished.status, 3) << finished.output;
    const auto dumps = support::dumps_in(folder.path() / "run");
    ASSERT_EQ(dumps.size(), 1u) << finished.output;
    EXPECT_NE(finished.output.find("kmdump: the guest panicked\n"
                                   "kmdump: log: Kernel panic - not syncing: sysrq triggered crash\n"
                                   "kmdump: dump: " +
                                   dumps[0].string() + "\n"),
              std::string::npos)
        << finished.output;
    const std::string line = "] Kernel panic - not syncing: sysrq triggered crash";
    EXPECT_NE(finished.output.find(line), std::string::npos) << finished.output;
    EXPECT_NE(folder.read("run/console-0001.log").find(line), std::string::npos);
    EXPECT_NE(folder.read("run/qemu-0001.log").find("dump (panic)"), std::string::npos);
}

TEST(KmdumpRunGuest, ThatPanicsAndStaysThereIsThree)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "panic=0"}, 3);
    EXPECT_EQ(found["outcome"], "crashed-with-dump");
    EXPECT_EQ(found["panic"], "Kernel panic - not syncing: sysrq triggered crash");
    EXPECT_EQ(found["dump"], folder.file("run/kmemdump-0001-panic.elf"));
}

TEST(KmdumpRunGuest, ThatIsResetWithoutAWordIsThree)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.do=reset"}, 3);
    EXPECT_EQ(found["dumps"][0]["reason"], "reset");
}

TEST(KmdumpRunGuest, ThatPowersOffIsZero)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.do=poweroff"}, 0);
    EXPECT_EQ(found["outcome"], "no-crash");
    EXPECT_TRUE(found["dumps"].empty());
}

TEST(KmdumpRunGuest, ThatAsksForADumpAndGoesOnIsZero)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.do=request"}, 0);
    EXPECT_EQ(found["dumps"][0]["reason"], "request");
}

TEST(KmdumpRunGuest, ThatPanicsWithoutTheModulesIsThreeToo)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.load=none"}, 3);
    EXPECT_EQ(found["outcome"], "crashed-with-dump");
    EXPECT_EQ(found["panic"], "Kernel panic - not syncing: sysrq triggered crash");
    ASSERT_EQ(found["dumps"].size(), 1u);
    EXPECT_EQ(found["dumps"][0]["reason"], "panic");
}

TEST(KmdumpRunGuest, ThatPanicsUnnoticedIsFour)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.load=none", "--properties", "linux=off"}, 4);
    EXPECT_EQ(found["outcome"], "crashed-without-dump");
    EXPECT_NE(found["what"].get<std::string>().find("looked for (linux=off)"), std::string::npos) << found;
}

TEST(KmdumpRunGuest, ThatRestartsInGoodOrderWithoutTheModulesIsZero)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.load=none kmd.do=reset"}, 0);
    EXPECT_EQ(found["outcome"], "no-crash");
}

TEST(KmdumpRunGuest, WhoseDumpCannotBeWrittenIsFourWithTheCause)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--properties", "inject-write-cut=200000"}, 4);
    EXPECT_NE(found["what"].get<std::string>().find("No space left on device"), std::string::npos) << found;
    ASSERT_EQ(found["dumps"].size(), 1u);
    EXPECT_EQ(found["dumps"][0]["complete"], false);
}

TEST(KmdumpRunGuest, ThatDoesNotEndIsFiveWithADump)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.do=shell", "--timeout", "60"}, 5);
    EXPECT_EQ(found["outcome"], "timeout");
    ASSERT_EQ(found["dumps"].size(), 1u) << found;
    EXPECT_EQ(found["dumps"][0]["reason"], "hang");
    const auto log = support::run({required("KMD_KMDUMP"), "log", found["dump"]});
    EXPECT_EQ(log.status, 0) << log.output;
    EXPECT_NE(log.output.find("init: kernel "), std::string::npos) << log.output;
}

TEST(KmdumpRunGuest, WithOptionsThatQemuDoesNotKnowIsSix)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--", "-device", "nonsense"}, 6);
    EXPECT_NE(found["what"].get<std::string>().find("'nonsense' is not a valid device model name"),
              std::string::npos)
        << found;
}

TEST(KmdumpRunGuest, GetsTheOptionsBehindTheDashes)
{
    const RunFolder folder;
    const json found = outcome(folder, {"--append", "kmd.do=poweroff", "--cpus", "3", "--", "-smp", "1"}, 0);
    EXPECT_NE(folder.read("run/console-0001.log").find("smp: Brought up 1 node, 1 CPU"), std::string::npos)
        << found;
}

TEST(KmdumpRunGuest, EndsWithKmdump)
{
    const RunFolder folder;
    support::Subprocess kmdump(command(folder, {"--append", "kmd.do=shell"}), folder.file("err"));
    std::string console;
    while (console.find("init: kernel ") == std::string::npos) {
        const auto line = kmdump.read_line(120s);
        ASSERT_TRUE(line) << console << folder.read("err");
        console += *line + "\n";
    }
    ::kill(kmdump.pid(), SIGTERM);
    EXPECT_EQ(kmdump.wait(60s), 128 + SIGTERM) << folder.read("err");
    EXPECT_NE(folder.read("err").find("kmdump: ended by signal 15\n"), std::string::npos);
}

} // namespace
