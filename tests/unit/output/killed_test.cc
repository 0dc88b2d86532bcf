// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what is on the disk when the emulator dies in the middle of a dump: it is killed at each of its
// system calls, one run for each, and so is its folder taken away. And in which order a dump reaches the
// disk, for when the power fails.
#include "fake_kernel.h"
#include "temp_dir.h"
#include "test_machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <linux/magic.h>
#include <sys/ptrace.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
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
    /// Much of the memory is zeros.
    bool with_holes = false;
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
        {"holes", [](Config& c, const TempDir& f) { c.output = f.path(); }, 0, false, true},
        {"qcom holes", [](Config& c, const TempDir& f) { c.output = f.path(), c.format = "qcom"; }, 0, false,
         true},
        {"file, holes", [](Config& c, const TempDir& f) { c.file = f / "last.elf"; }, 1, false, true},
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
    if (what.with_holes) {
        // Zeros, something, more zeros up to the end.
        m->host.guest.fill_pattern(kRam + 0x60000, 0x3000);
        m->add(3, ram_region(0x9000, 0x80000, 2));
    }
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

std::size_t parts_in(const std::map<std::string, Bytes>& files)
{
    return static_cast<std::size_t>(
        std::count_if(files.begin(), files.end(), [](const auto& file) { return has(file.first, "/"); }));
}

/// A folder under its final name has as many files as it should.
void expect_whole_folders(const std::string& folder, std::size_t parts)
{
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_directory() && !has(name, ".incomplete")) {
            EXPECT_EQ(names_in(entry.path().string()).size(), parts) << name;
        }
    }
}

/// Whether a file says that its dump is complete. `complete`: one that says so.
bool says_complete(const std::string& name, const Bytes& bytes, const Bytes& complete)
{
    const bool can = has(name, "md_toc.bin") || has(name, ".elf");
    const std::size_t mark = has(name, "md_toc.bin") ? 0 : has(name, ".zst") ? 57 : 48;
    return can && bytes.size() > mark && bytes[mark] == complete[mark];
}

/// `whole`: the files after a dump that nothing disturbed.
void expect_no_lie(const std::string& folder, const std::map<std::string, Bytes>& whole)
{
    expect_whole_folders(folder, parts_in(whole));
    const auto files = files_in(folder);
    for (const auto& [name, bytes] : files) {
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
            if (says_complete(name, bytes, expected)) {
                EXPECT_TRUE(bytes == expected) << name << " says that it is complete";
                EXPECT_EQ(parts_in(files) % std::max<std::size_t>(parts_in(whole), 1), 0u) << name;
            }
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

/// The system calls of a child that change a disk, in order: data (that is written), mark (its 4 bytes), sent
/// (to the disk), waited (for the disk), name.
std::vector<std::string> steps_of(const std::function<std::function<void()>()>& prepare)
{
    const std::map<std::uint64_t, std::string> steps = {
        {SYS_pwritev, "data"},     {SYS_pwrite64, "mark"}, {SYS_sync_file_range, "sent"},
        {SYS_fdatasync, "waited"}, {SYS_fsync, "waited"},  {SYS_syncfs, "waited"},
        {SYS_renameat2, "name"},
#ifdef SYS_renameat
        {SYS_renameat, "name"},
#endif
    };
    std::vector<std::string> taken;
    run_to(ahead_of_call(1), prepare, [&](pid_t child) {
        ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD);
        for (int status = 0;;) {
            // Each call stops twice: ahead of it and behind it.
            __ptrace_syscall_info info{};
            ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info);
            const auto step = steps.find(info.entry.nr);
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY && step != steps.end()) {
                taken.push_back(step->second);
            }
            ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
            ::waitpid(child, &status, 0);
            if (!WIFSTOPPED(status)) {
                break;
            }
        }
    });
    return taken;
}

bool flushes_before_names(const std::string& folder)
{
    struct statfs about;
    return ::statfs(folder.c_str(), &about) == 0 &&
           (about.f_type == EXT4_SUPER_MAGIC || about.f_type == 0x58465342);
}

TEST(PowerFailure, FindsTheMarkBehindTheDataAndTheNameBehindTheMark)
{
    for (const Case& what : cases()) {
        const TempDir folder;
        const auto steps = steps_of([&]() -> std::function<void()> {
            std::shared_ptr<TestMachine> m = machine(what, folder);
            return [m] { m->dump(); };
        });
        const auto next = [&](std::size_t from, const std::string& step) {
            return static_cast<std::size_t>(
                std::find(steps.begin() + static_cast<std::ptrdiff_t>(from), steps.end(), step) -
                steps.begin());
        };
        const std::size_t mark = next(0, "mark");
        ASSERT_LT(mark, steps.size()) << what.what;
        EXPECT_EQ(next(mark, "data"), steps.size()) << what.what << ": all data is ahead of the mark";
        EXPECT_EQ(next(mark + 1, "mark"), steps.size()) << what.what << ": it is set once";
        const auto last_data =
            static_cast<std::size_t>(steps.rend() - std::find(steps.rbegin(), steps.rend(), "data"));
        EXPECT_LT(next(last_data, "waited"), mark) << what.what << ": the data is on the disk ahead of it";
        EXPECT_LT(std::min(next(mark, "sent"), next(mark, "waited")), next(mark, "name")) << what.what;
        EXPECT_LT(next(next(mark, "name"), "waited"), steps.size()) << what.what << ": and then the name";
    }
}

TEST(PowerFailure, IsWaitedForTwiceAndElsewhereForMarkAndSidecarAsWell)
{
    const TempDir folder;
    const auto steps = steps_of([&]() -> std::function<void()> {
        std::shared_ptr<TestMachine> m = machine(cases().front(), folder);
        return [m] { m->dump(); };
    });
    EXPECT_EQ(std::count(steps.begin(), steps.end(), "waited"), flushes_before_names(folder.path()) ? 2 : 4);
    EXPECT_EQ(std::count(steps.begin(), steps.end(), "name"), 2) << "the dump and its sidecar";
}

} // namespace
