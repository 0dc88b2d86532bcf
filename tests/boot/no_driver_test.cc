// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stock kernel with nothing of ours in it: the controller finds it in memory, and takes a dump when it
// crashed.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

using boot::Guest;
using support::ElfCore;

namespace
{

support::Finished kmdump(const std::vector<std::string>& arguments)
{
    std::vector<std::string> command = {support::required("KMD_KMDUMP")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return support::run(command);
}

/// The only dump of the guest; its path is empty if there is another number of them.
std::string only_dump(const Guest& guest)
{
    const auto dumps = guest.dumps();
    EXPECT_EQ(dumps.size(), 1u) << guest.messages() << guest.console();
    return dumps.size() == 1 ? dumps[0].string() : "";
}

void expect_log_tasks_and_backtraces(const std::string& dump)
{
    const auto info = kmdump({"info", dump});
    EXPECT_NE(info.output.find("complete:  yes"), std::string::npos) << info.output;
    EXPECT_NE(info.output.find("panic:     Kernel panic - not syncing: sysrq triggered crash"),
              std::string::npos)
        << info.output;
    EXPECT_NE(info.output.find(" panicked"), std::string::npos) << info.output;
    EXPECT_NE(info.output.find(" tasks, without the guest's help\n"), std::string::npos) << info.output;
    const auto log = kmdump({"log", dump});
    EXPECT_NE(log.output.find("Booting Linux on physical CPU"), std::string::npos);
    EXPECT_NE(log.output.find("init: kernel "), std::string::npos) << log.output;
    const auto cpus = kmdump({"cpus", dump});
    EXPECT_NE(cpus.output.find("  sysrq_handle_crash+"), std::string::npos) << cpus.output;
    EXPECT_NE(cpus.output.find("  write_sysrq_trigger+"), std::string::npos) << cpus.output;
    const auto verify = kmdump({"verify", dump});
    EXPECT_EQ(verify.status, 0) << verify.output;
    const auto report = kmdump({"report", dump});
    EXPECT_EQ(report.status, 0);
    for (const char* task : {"swapper/0", "swapper/1", "kthreadd", "init", "kworker/"}) {
        EXPECT_NE(report.output.find(task), std::string::npos) << task;
    }
    EXPECT_NE(report.output.find("schedule+0x"), std::string::npos) << "where tasks sleep";
    const auto tasks = kmdump({"tasks", dump});
    EXPECT_TRUE(
        std::regex_search(tasks.output, std::regex("\n *2 +2 +S +\\d+\\.\\d{3}  kthreadd +kthreadd\\+0x")))
        << tasks.output;
    const auto init = kmdump({"bt", dump, "1"});
    EXPECT_TRUE(init.output.starts_with("task 1, init, on CPU ")) << init.output;
}

/// Every byte of the dump's memory is that of QEMU's own dump.
void expect_same_memory(const std::string& dump, const std::string& qemus)
{
    const auto ours = ElfCore::read(dump);
    const auto whole = ElfCore::read(qemus);
    std::uint64_t compared = 0;
    for (const auto& segment : ours.segments) {
        const auto bytes = ours.physical(segment.phys, segment.file_size);
        ASSERT_EQ(bytes.size(), segment.file_size);
        EXPECT_TRUE(bytes == whole.physical(segment.phys, segment.file_size)) << std::hex << segment.phys;
        compared += bytes.size();
    }
    EXPECT_GT(compared, std::uint64_t{1} << 20);
}

TEST(NoDriver, PanicAndRebootLeaveLogTasksAndBacktraces)
{
    Guest guest({.command_line = "kmd.load=none"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const auto dump = only_dump(guest);
    EXPECT_TRUE(dump.ends_with("kmemdump-0001-panic.elf")) << dump;
    expect_log_tasks_and_backtraces(dump);
    std::cout << "figures: bytes without a driver: " << std::filesystem::file_size(dump) << "\n"
              << guest.messages();
}

TEST(NoDriver, PanicThatStandsStillIsNoticedAndItsMemoryIsExact)
{
    // The last panic= of a command line counts.
    Guest guest({.command_line = "kmd.load=none panic=0", .properties = "pause=on"});
    guest.qmp().wait_event("STOP", std::chrono::minutes(4));
    const auto dump = only_dump(guest);
    EXPECT_TRUE(dump.ends_with("kmemdump-0001-panic.elf")) << dump;
    const auto qemus = guest.folder().file("qemu.core");
    guest.qmp().execute("dump-guest-memory", {{"paging", false}, {"protocol", "file:" + qemus}});
    expect_log_tasks_and_backtraces(dump);
    expect_same_memory(dump, qemus);
    guest.qmp().execute("quit");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(guest.dumps().size(), 1u) << "one panic, one dump";
}

TEST(NoDriver, PanicAtTheEndOfBootLeavesItsLog)
{
    Guest guest({.command_line = "kmd.load=none rdinit=/missing"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const auto info = kmdump({"info", only_dump(guest)});
    EXPECT_NE(info.output.find("panic:     Kernel panic - not syncing: VFS: Unable to mount root fs"),
              std::string::npos)
        << info.output;
}

TEST(NoDriver, OrderlyPowerOffLeavesNothing)
{
    Guest guest({.command_line = "kmd.load=none kmd.do=poweroff"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_TRUE(guest.dumps().empty());
    EXPECT_EQ(guest.messages(), "");
}

TEST(NoDriver, OrderlyRebootLeavesNothing)
{
    // The init of the guest reboots as sysrq b does, for which the kernel sets the same state.
    Guest guest({.command_line = "kmd.load=none kmd.do=reset"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_TRUE(guest.dumps().empty());
}

void wait_for_init(const Guest& guest)
{
    for (int i = 0; i < 2400 && guest.console().find("init: kernel ") == std::string::npos; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

TEST(NoDriver, ResetFromOutsideWhileItRunsIsDumped)
{
    Guest guest({.command_line = "kmd.load=none kmd.do=shell"});
    wait_for_init(guest);
    guest.qmp().execute("system_reset");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_TRUE(only_dump(guest).ends_with("kmemdump-0001-reset.elf")) << guest.messages();
}

TEST(NoDriver, HostGetsADumpOfARunningGuest)
{
    Guest guest({.command_line = "kmd.load=none kmd.do=shell"});
    wait_for_init(guest);
    guest.qmp().execute("qom-set", {{"path", Guest::controller()}, {"property", "dump"}, {"value", "host"}});
    const auto dump = only_dump(guest);
    const auto log = kmdump({"log", dump});
    EXPECT_NE(log.output.find("Booting Linux on physical CPU"), std::string::npos);
    EXPECT_EQ(kmdump({"verify", dump}).status, 0);
    guest.qmp().execute("quit");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
}

} // namespace
