// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what is on the disk when the emulator dies in the middle of a dump: it is killed at each of its
// system calls, one run for each, and so is its folder taken away.
#include "fake_kernel.h"
#include "temp_dir.h"
#include "test_machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::FakeKernel;
using kmd::test::kRam;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;

using Bytes = std::vector<std::byte>;

/// Runs `prepare` and then what it returns in a child, with a stop ahead of and behind each system call of
/// the latter. At stop number `stop` (from 1 on) `act` is called with the child's id, and the child goes on,
/// if it lives. Returns its status from waitpid(), or nothing when it ended before that stop.
std::optional<int> run_to(unsigned stop, const std::function<std::function<void()>()>& prepare,
                          const std::function<void(pid_t)>& act)
{
    // Has what a child that is killed leaves behind.
    const TempDir scratch;
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("TMPDIR", scratch.path().c_str(), 1);
        const auto body = prepare();
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::raise(SIGSTOP);
        body();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        throw std::runtime_error("the child did not stop");
    }
    for (unsigned i = 0; i < stop; ++i) {
        ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        ::waitpid(child, &status, 0);
        if (!WIFSTOPPED(status)) {
            return std::nullopt;
        }
    }
    act(child);
    ::ptrace(PTRACE_DETACH, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    return status;
}

/// The stop ahead of a system call, counted from 1. Behind it the disk is as it is ahead of the next.
constexpr unsigned ahead_of_call(unsigned number)
{
    return 2 * number - 1;
}

/// How a dump is stored, and the folder for it.
struct Case {
    const char* what;
    std::function<void(Config&, const TempDir&)> configure;
    /// Dumps that are there before.
    unsigned before = 0;
    /// A Linux kernel is in the memory.
    bool with_kernel = false;
};

const std::vector<Case>& cases()
{
    static const std::vector<Case> all = {
        {"folder", [](Config& c, const TempDir& f) { c.output = f.path(); }},
        {"compressed", [](Config& c, const TempDir& f) { c.output = f.path(), c.compress = "zstd"; }},
        {"qcom", [](Config& c, const TempDir& f) { c.output = f.path(), c.format = "qcom"; }},
        {"keep", [](Config& c, const TempDir& f) { c.output = f.path(), c.keep = 1; }, 2},
        {"qcom keep", [](Config& c, const TempDir& f) { c.output = f.path(), c.format = "qcom", c.keep = 1; },
         2},
        {"file", [](Config& c, const TempDir& f) { c.file = f / "last.elf"; }, 1},
        {"types", [](Config& c, const TempDir& f) { c.output = f.path(), c.types = "beside"; }, 0, true},
    };
    return all;
}

/// A machine that took the dumps that are there before, and is ready for one more.
std::unique_ptr<TestMachine> machine(const Case& what, const TempDir& folder)
{
    auto config = small_config();
    config.sidecar = true;
    what.configure(config, folder);
    auto m = std::make_unique<TestMachine>(config);
    m->host.guest.fill_pattern(kRam, 0x8000);
    m->add(0, ram_region(0, 0x5000, 1));
    m->add(1, {kRam + 0x6000, kmd::test::kVirt + 0x6000, 0x1000, "log", 27, 0x100});
    if (what.with_kernel) {
        FakeKernel kernel(m->host.guest);
        kernel.finish();
        m->add(2, {FakeKernel::kVmcoreinfo, FakeKernel::kLinear + FakeKernel::kVmcoreinfo, 0x1000,
                   "vmcoreinfo", 3, KMD_KIND_VMCOREINFO});
    }
    for (unsigned i = 0; i < what.before; ++i) {
        m->dump(2);
    }
    return m;
}

/// Every file in a folder and below.
std::map<std::string, Bytes> files_in(const std::string& folder)
{
    std::map<std::string, Bytes> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            files[std::filesystem::relative(entry.path(), folder).string()] = bytes_of(entry.path().string());
        }
    }
    return files;
}

bool has(const std::string& name, const char* part)
{
    return name.find(part) != std::string::npos;
}

/// Without the mark of completeness, wherever it is.
Bytes unmarked(Bytes bytes)
{
    for (const std::size_t at : {0u, 8u, 48u, 57u}) {
        if (at < bytes.size()) {
            bytes[at] = std::byte{0};
        }
    }
    return bytes;
}

bool begins_with(const Bytes& whole, const Bytes& part)
{
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// What a complete dump has where this one has `name`. What was there before is as complete as what is there
/// afterwards.
const Bytes& expected_of(const std::string& name, const std::map<std::string, Bytes>& whole)
{
    if (const auto same = whole.find(name); same != whole.end()) {
        return same->second;
    }
    if (const auto slash = name.find('/'); slash != std::string::npos) {
        const auto part = std::find_if(whole.begin(), whole.end(), [&](const auto& file) {
            return file.first.ends_with(name.substr(slash));
        });
        return part->second;
    }
    return whole.begin()->second;
}

/// A folder under its final name has all of its files.
void expect_whole_folders(const std::string& folder)
{
    constexpr std::size_t kFiles = 3;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_directory() && !has(name, ".incomplete")) {
            EXPECT_EQ(names_in(entry.path().string()).size(), kFiles) << name;
        }
    }
}

/// `whole`: the files after a dump that nothing disturbed.
void expect_no_lie(const std::string& folder, const std::map<std::string, Bytes>& whole)
{
    expect_whole_folders(folder);
    for (const auto& [name, bytes] : files_in(folder)) {
        if (has(name, ".json")) {
            if (!name.ends_with(".incomplete")) {
                const auto* text = reinterpret_cast<const char*>(bytes.data());
                EXPECT_TRUE(nlohmann::json::accept(text, text + bytes.size())) << name;
            }
            continue;
        }
        std::string final_name = name;
        if (const auto at = name.find(".incomplete"); at != std::string::npos) {
            final_name.erase(at, std::strlen(".incomplete"));
        }
        const auto& expected = expected_of(final_name, whole);
        if (final_name == name) {
            EXPECT_TRUE(bytes == expected || has(name, "request")) << name << " is not complete";
            EXPECT_EQ(unmarked(bytes).size(), unmarked(expected).size()) << name;
        } else {
            EXPECT_TRUE(begins_with(unmarked(expected), unmarked(bytes))) << name << " holds something else";
        }
    }
}

TEST(Killed, AtAnySystemCallLeavesNoFinalNameThatIsIncomplete)
{
    for (const Case& what : cases()) {
        const TempDir undisturbed;
        machine(what, undisturbed)->dump();
        const auto whole = files_in(undisturbed.path());
        unsigned kills = 0;
        for (bool reached = true; reached;) {
            const TempDir folder;
            const auto status = run_to(
                ahead_of_call(++kills),
                [&]() -> std::function<void()> {
                    std::shared_ptr<TestMachine> m = machine(what, folder);
                    return [m] { m->dump(); };
                },
                [](pid_t child) { ::kill(child, SIGKILL); });
            reached = status.has_value();
            expect_no_lie(folder.path(), whole);
            ASSERT_FALSE(HasFailure()) << what.what << ", killed ahead of call " << kills;
        }
        EXPECT_GT(kills, 15u) << what.what;
    }
}

TEST(Killed, FolderThatGoesAwayAtAnySystemCallCrashesNothing)
{
    for (const Case& what : cases()) {
        unsigned calls = 0;
        for (bool reached = true; reached;) {
            TempDir folder;
            const auto status = run_to(
                ahead_of_call(++calls),
                [&]() -> std::function<void()> {
                    std::shared_ptr<TestMachine> m = machine(what, folder);
                    return [m] {
                        m->dump();
                        const auto result = m->last_result();
                        ::_exit(result == 1 || result == 3 || result == 4 ? 0 : 1);
                    };
                },
                [&](pid_t) { folder.remove(); });
            reached = status.has_value();
            ASSERT_TRUE(!reached || *status == 0) << what.what << ", gone ahead of call " << calls;
        }
    }
}

} // namespace
