// SPDX-License-Identifier: GPL-2.0-or-later
//
// `kmdump run` with a program in the place of QEMU that does what QEMU rarely does.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using support::RunFolder;
using namespace std::chrono_literals;

namespace
{

/// A shell script that says the version of the real QEMU and then runs `body`.
std::string make_qemu(const RunFolder& folder, const std::string& body,
                      const std::string& version = "exec " + support::qemu_program() + " --version")
{
    std::string path = folder.file("qemu");
    std::ofstream(path) << "#!/bin/bash\n[ \"$1\" = --version ] && { " << version << "; exit 0; }\n" << body;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

std::vector<std::string> command(const RunFolder& folder, const std::string& qemu)
{
    return {support::required("KMD_KMDUMP"),
            "run",
            "--kernel",
            "/dev/null",
            "--qemu",
            qemu,
            "--plugin",
            support::required("KMD_PLUGIN"),
            "--output",
            folder.file("run")};
}

support::Finished run_with(const RunFolder& folder, const std::string& body)
{
    return support::run(command(folder, make_qemu(folder, body)), 120s);
}

/// A QMP server in Python: what it says after the capabilities.
std::string qmp_server(const std::string& events)
{
    return "exec /usr/bin/python3 - \"$@\" <<'PYTHON'\n"
           "import json, re, socket, sys\n"
           "fd = int(re.search(r'id=kmdump-qmp,fd=(\\d+)', ' '.join(sys.argv)).group(1))\n"
           "qmp = socket.socket(fileno=fd).makefile('rw')\n"
           "def say(message): print(json.dumps(message), file=qmp, flush=True)\n"
           "say({'QMP': {}})\n"
           "for line in qmp:\n"
           "    command = json.loads(line)['execute']\n"
           "    if command == 'quit': break\n"
           "    say({'return': {}} if command == 'qmp_capabilities' else {'error': {'desc': 'no such "
           "path'}})\n"
           "    if command == 'qmp_capabilities':\n"
           "        for event in " +
           events +
           ": say(event)\n"
           "PYTHON\n";
}

pid_t child_of(pid_t parent)
{
    const std::string process = std::to_string(parent);
    for (int i = 0; i < 600; ++i) {
        std::ifstream children("/proc/" + process + "/task/" + process + "/children");
        std::ifstream started;
        if (pid_t child = 0; children >> child) {
            return child;
        }
        std::this_thread::sleep_for(50ms);
    }
    return 0;
}

bool is_gone(pid_t process)
{
    for (int i = 0; i < 400; ++i) {
        std::ifstream file("/proc/" + std::to_string(process) + "/stat");
        std::string number, name, state;
        if (!(file >> number >> name >> state) || state == "Z") {
            return true;
        }
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

TEST(KmdumpRun, RefusesAQemuThatThePluginIsNotFor)
{
    const RunFolder folder;
    const auto qemu = make_qemu(folder, "touch started", "echo QEMU emulator version 6.9.9");
    const auto run = support::run(command(folder, qemu));
    EXPECT_EQ(run.status, 6);
    EXPECT_NE(run.output.find("expected kmemdump-md-6.9.9.so, the part of the plugin for QEMU 6.9.9, in "),
              std::string::npos)
        << run.output;
    EXPECT_NE(run.output.find(": build it with ./scripts/build where that QEMU is installed"),
              std::string::npos)
        << run.output;
    EXPECT_FALSE(std::filesystem::exists(folder.file("run")));
}

TEST(KmdumpRun, PreloadsThePluginIntoAQemuWithoutPlugins)
{
    const RunFolder folder;
    const auto run = support::run(command(folder, support::required("KMD_MODULAR_QEMU")));
    EXPECT_EQ(run.status, 6) << "it ends at once";
    EXPECT_NE(run.output.find("preload " + support::required("KMD_PLUGIN") + "\n"), std::string::npos)
        << run.output;
    EXPECT_NE(run.output.find("argument kmemdump-md,id=kmdump"), std::string::npos) << run.output;
    EXPECT_EQ(run.output.find("argument -plugin"), std::string::npos) << run.output;
}

TEST(KmdumpRun, RefusesAProgramThatIsNoQemu)
{
    const RunFolder folder;
    EXPECT_EQ(support::run(command(folder, "/bin/true")).output,
              "kmdump: /bin/true: expected a QEMU that prints its version, found something else\n");
    const auto missing = support::run(command(folder, "/does/not/exist"));
    EXPECT_EQ(missing.status, 6);
    EXPECT_EQ(missing.output, "kmdump: cannot run /does/not/exist: No such file or directory\n");
}

TEST(KmdumpRun, HasTheLastWordsOfAQemuThatFails)
{
    const RunFolder folder;
    const auto run = run_with(folder, "echo first >&2; echo 'cannot set up guest memory' >&2; exit 1");
    EXPECT_EQ(run.status, 6);
    EXPECT_NE(run.output.find("kmdump: QEMU ended with exit status 1: cannot set up guest memory\n"),
              std::string::npos)
        << run.output;
    EXPECT_EQ(folder.read("run/qemu-0001.log"), "first\ncannot set up guest memory\n");
}

TEST(KmdumpRun, SaysThatQemuCrashed)
{
    const RunFolder folder;
    const auto run = run_with(folder, "kill -SEGV $$");
    EXPECT_EQ(run.status, 6);
    EXPECT_NE(run.output.find("kmdump: QEMU ended with signal 11 (Segmentation fault)\n"), std::string::npos)
        << run.output;
}

TEST(KmdumpRun, DoesNotHangOnAQemuThatWritesALotAndDies)
{
    const RunFolder folder;
    const auto run = run_with(folder, "yes warning | head -c 3000000 >&2; exit 1");
    EXPECT_EQ(run.status, 6);
    EXPECT_EQ(folder.read("run/qemu-0001.log").size(), 3000000u);
}

TEST(KmdumpRun, TakesQemusWordForAPanic)
{
    const RunFolder folder;
    const auto run = run_with(
        folder, qmp_server("[{'event': 'GUEST_PANICKED', 'data': {'action': 'run'}},"
                           " {'event': 'SHUTDOWN', 'data': {'guest': True, 'reason': 'guest-shutdown'}}]"));
    EXPECT_EQ(run.status, 4) << run.output;
    EXPECT_NE(run.output.find("kmdump: the guest panicked and left no dump"), std::string::npos)
        << run.output;
}

TEST(KmdumpRun, TellsAnEndThatTheHostWanted)
{
    const RunFolder folder;
    const auto run = run_with(
        folder, qmp_server("[{'event': 'SHUTDOWN', 'data': {'guest': False, 'reason': 'host-qmp-quit'}}]"));
    EXPECT_EQ(run.status, 6) << run.output;
    EXPECT_NE(run.output.find("kmdump: somebody on the host ended QEMU"), std::string::npos) << run.output;
}

TEST(KmdumpRun, SurvivesNonsenseOverQmp)
{
    const RunFolder folder;
    const auto run = run_with(folder, qmp_server("[3, [], {'event': 7}, {'event': 'SHUTDOWN', 'data': 'x'},"
                                                 " {'event': 'DUMP_COMPLETED'}]"));
    EXPECT_EQ(run.status, 6) << run.output;
}

TEST(KmdumpRun, EndsAQemuThatListensToNothing)
{
    for (const int signal : {SIGTERM, SIGINT}) {
        const RunFolder folder;
        const auto qemu = make_qemu(folder, "trap '' TERM INT; echo up >&2; while :; do sleep 1; done");
        support::Subprocess kmdump(command(folder, qemu), folder.file("err"));
        while (folder.read("err").find("up") == std::string::npos) {
            ASSERT_FALSE(kmdump.wait(50ms)) << folder.read("err");
        }
        const pid_t child = child_of(kmdump.pid());
        ASSERT_GT(child, 0);
        ::kill(kmdump.pid(), signal);
        EXPECT_EQ(kmdump.wait(60s), 128 + signal);
        EXPECT_TRUE(is_gone(child));
    }
}

TEST(KmdumpRun, LeavesNoQemuWhenItIsKilled)
{
    const RunFolder folder;
    const auto qemu = make_qemu(folder, "echo up >&2; exec sleep 1000");
    support::Subprocess kmdump(command(folder, qemu), folder.file("err"));
    while (folder.read("err").find("up") == std::string::npos) {
        ASSERT_FALSE(kmdump.wait(50ms)) << folder.read("err");
    }
    const pid_t child = child_of(kmdump.pid());
    ASSERT_GT(child, 0);
    ::kill(kmdump.pid(), SIGKILL);
    EXPECT_TRUE(is_gone(child));
}

} // namespace
