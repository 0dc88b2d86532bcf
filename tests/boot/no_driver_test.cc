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
    EXPECT_NE(log.output.find("Linux version "), std::string::npos);
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

/// Debian's 6.1 has no CONFIG_KALLSYMS_ALL.
bool kernel_names_its_data()
{
    return !boot::kernel_release().starts_with("6.1.");
}

/// Structures are shown by types beside the dump. The values differ from those that the kernel starts with.
void expect_types(const std::string& dump)
{
    const auto print = [&](const std::vector<std::string>& arguments) {
        std::vector<std::string> command = {"print", dump};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return kmdump(command).output;
    };
    EXPECT_TRUE(
        !kernel_names_its_data() ||
        std::regex_match(print({"panic_cpu.counter"}), std::regex("panic_cpu.counter = \\(int\\) [01]\n")))
        << print({"panic_cpu"});
    EXPECT_TRUE(std::regex_search(print({"runqueues.curr->comm", "--cpu", "1"}),
                                  std::regex("= \\(char\\[16\\]\\) \"\\S+\"\n$")))
        << print({"runqueues.curr->comm", "--cpu", "1"});
    const std::string jiffies = print({"jiffies_64"});
    const std::string start = "jiffies_64 = (u64) 0x";
    ASSERT_TRUE(jiffies.starts_with(start)) << jiffies;
    // INITIAL_JIFFIES with CONFIG_HZ=250.
    EXPECT_GT(std::stoull(jiffies.substr(start.size()), nullptr, 16), 0xfffedb08u);
    std::vector<std::filesystem::path> types;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(dump).parent_path())) {
        if (entry.path().extension() == ".btf") {
            types.push_back(entry.path());
        }
    }
    ASSERT_EQ(types.size(), 1u);
    const auto all = support::run({"bpftool", "btf", "dump", "file", types[0].string()});
    EXPECT_EQ(all.status, 0);
    EXPECT_NE(all.output.find("STRUCT 'task_struct' size="), std::string::npos);
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
    expect_types(dump);
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

TEST(NoDriver, TypesSymbolsAndDataAreInTheDumpIfTheUserAsks)
{
    Guest guest(
        {.command_line = "kmd.load=none", .properties = "types=in,capture=regions+cpus+stacks+tables+data"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const auto dump = only_dump(guest);
    expect_log_tasks_and_backtraces(dump);
    const auto info = kmdump({"info", dump});
    EXPECT_NE(info.output.find("types:     in the dump\n"), std::string::npos) << info.output;
    // Variables that no other dump names or has.
    const std::vector<std::string> variables = {"init_net", "file_systems", "super_blocks"};
    for (const std::string& variable : kernel_names_its_data() ? variables : std::vector<std::string>()) {
        const auto found = kmdump({"memory", dump, variable, "--length", "8"});
        EXPECT_EQ(found.status, 0) << found.output;
        EXPECT_EQ(kmdump({"print", dump, variable, "--type", "list_head"}).status, 0);
    }
    EXPECT_NE(kmdump({"print", dump, "init_task.comm"}).output.find("\"swapper/0\""), std::string::npos);
    const auto file = guest.folder().file("types.btf");
    EXPECT_EQ(kmdump({"types", dump, "-o", file}).status, 0);
    EXPECT_EQ(support::run({"bpftool", "btf", "dump", "file", file}).status, 0);
    EXPECT_EQ(std::filesystem::file_size(file) > 1'000'000, true);
    std::cout << "figures: bytes with types: " << std::filesystem::file_size(dump) << "\n"
              << guest.messages();
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

/// An initramfs with a file that is larger than the memory of the guest.
std::string larger_initramfs(const support::RunFolder& folder)
{
    const auto made = support::run(
        {"sh", "-c",
         "cd \"$1\" && truncate -s 128M zeros && echo zeros | cpio -o -H newc | gzip -1 >initrd.gz", "sh",
         folder.path().string()});
    EXPECT_EQ(made.status, 0) << made.output;
    return folder.file("initrd.gz");
}

TEST(NoDriver, PanicInTheFirstSecondLeavesItsLog)
{
    const support::RunFolder folder;
    // A tmpfs would refuse the file, a ramfs takes memory until there is none left.
    Guest guest(
        {.initrd = larger_initramfs(folder), .command_line = "kmd.load=none rootfstype=ramfs", .ram = "96M"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const auto dump = only_dump(guest);
    const auto info = kmdump({"info", dump});
    EXPECT_NE(info.output.find("panic:     Kernel panic - not syncing: System is deadlocked on memory\n"),
              std::string::npos)
        << info.output;
    EXPECT_NE(info.output.find(" panicked"), std::string::npos) << info.output;
    const auto log = kmdump({"log", dump});
    EXPECT_NE(log.output.find("Linux version "), std::string::npos);
    // On an idle machine. The guest of a busy one needs longer.
    const std::regex in_first_seconds("\n\\[    [0-5]\\.\\d{6}\\] Kernel panic - not syncing: ");
    EXPECT_TRUE(std::regex_search(log.output, in_first_seconds)) << log.output;
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
    EXPECT_NE(log.output.find("Linux version "), std::string::npos);
    EXPECT_EQ(kmdump({"verify", dump}).status, 0);
    guest.qmp().execute("quit");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
}

TEST(NoDriver, RunNeedsTheKernelAlone)
{
    const support::RunFolder folder;
    const auto run = kmdump({"run", "--kernel", boot::kernel_image(), "--output", folder.path().string(),
                             "--memory", "256M", "--timeout", "240", "--json"});
    EXPECT_EQ(run.status, 3) << run.output;
    EXPECT_NE(run.output.find("\"panic\": \"Kernel panic - not syncing: VFS: Unable to mount root fs"),
              std::string::npos)
        << run.output;
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u);
    const auto cpus = kmdump({"cpus", dumps[0].string()});
    EXPECT_NE(cpus.output.find("  mount_root_generic+"), std::string::npos) << cpus.output;
}

} // namespace
