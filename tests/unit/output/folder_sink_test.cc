// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the promise of the folder sink: a file under its final name is complete, whatever the host's
// disk does, and no file that was there before is ever touched.
#include "child_process.h"
#include "hw/output/folder_sink.h"
#include "owned_plan.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>

namespace
{

using kmd::check_output_folder;
using kmd::Dump;
using kmd::FolderSink;
using kmd::NamePattern;
using kmd::Plan;
using kmd::Result;
using kmd::Stored;
using kmd::StoreOptions;
using kmd::test::bytes_of;
using kmd::test::in_child;
using kmd::test::make_file;
using kmd::test::mount_tmpfs;
using kmd::test::must;
using kmd::test::names_in;
using kmd::test::OwnedPlan;
using kmd::test::private_mounts;
using kmd::test::remount_read_only;
using kmd::test::TempDir;

Result<Stored> write_plan(const Plan& plan, const std::string& folder, const std::string& reason,
                          unsigned first_number)
{
    StoreOptions options;
    options.sidecar = false;
    FolderSink sink(folder, NamePattern::parse("kmemdump-%n-%r").value(), options);
    return sink.store(Dump{.plan = plan, .reason = reason, .number = first_number});
}

std::vector<std::string> list(std::initializer_list<const char*> names)
{
    return {names.begin(), names.end()};
}

unsigned mode_of(const std::string& path)
{
    struct stat about;
    must(::lstat(path.c_str(), &about) == 0, "lstat");
    return about.st_mode & 07777;
}

/// What is in a folder: name, size and e_flags of each file.
std::string describe(const std::string& folder)
{
    std::ostringstream out;
    for (const std::string& name : names_in(folder)) {
        const auto bytes = bytes_of(folder + "/" + name);
        out << name << " size=" << bytes.size();
        if (bytes.size() >= 52) {
            out << " e_flags=" << std::to_integer<int>(bytes[48]);
        }
        out << "\n";
    }
    return out.str();
}

/// Writes the plan and says in words what the result is and what is in the folder then.
std::string try_write(const Plan& plan, const std::string& folder)
{
    const auto file = write_plan(plan, folder, "panic", 1);
    std::ostringstream out;
    if (!file) {
        out << "error: " << file.error().what << "\n";
    } else {
        out << file.value().where.substr(folder.size()) << " bytes=" << file.value().bytes << " ["
            << file.value().incomplete_because << "]\n";
    }
    return out.str() + describe(folder);
}

TEST(FolderSink, WritesThePlanUnderItsFinalName)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 3, 1000);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().where, folder / "kmemdump-0001-panic.elf");
    EXPECT_EQ(file.value().bytes, 7096u);
    EXPECT_EQ(file.value().incomplete_because, "");
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0001-panic.elf"}));
    EXPECT_TRUE(bytes_of(folder / "kmemdump-0001-panic.elf") == owned.file());
}

TEST(FolderSink, ClearsOnlyTheMarkOfIncompleteness)
{
    const TempDir folder;
    OwnedPlan owned(4096, 1, 16);
    owned.plan.head[48] = std::byte{0};
    owned.plan.head[100] = std::byte{1};
    owned.plan.flags_offset = 100;
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "panic", 1));
    const auto bytes = bytes_of(folder / "kmemdump-0001-panic.elf");
    EXPECT_EQ(bytes.at(99), std::byte{0x48});
    for (const std::size_t i : {100u, 101u, 102u, 103u}) {
        EXPECT_EQ(bytes.at(i), std::byte{0});
    }
    EXPECT_EQ(bytes.at(104), std::byte{0x48});
}

TEST(FolderSink, PlanWithoutBodyIsAFileToo)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 0, 0);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "request", 1));
    EXPECT_TRUE(bytes_of(folder / "kmemdump-0001-request.elf") == owned.file());
}

TEST(FolderSink, HandlesMorePiecesThanOneSystemCallTakes)
{
    for (const std::size_t pieces : {1022u, 1023u, 1024u, 1025u, 5000u}) { // IOV_MAX is 1024
        const TempDir folder;
        const OwnedPlan owned(4096, pieces, 3);
        const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
        ASSERT_TRUE(file);
        EXPECT_EQ(file.value().bytes, 4096 + pieces * 3);
        EXPECT_TRUE(bytes_of(file.value().where) == owned.file()) << pieces;
    }
}

TEST(FolderSink, EmptyPiecesDoNotEndTheFile)
{
    const TempDir folder;
    OwnedPlan owned(4096, 4, 500);
    owned.plan.body.insert(owned.plan.body.begin(), 3, {});
    owned.plan.body.insert(owned.plan.body.begin() + 4, 2000, {});
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_TRUE(bytes_of(file.value().where) == owned.file());
}

TEST(FolderSink, NumbersStartWhereTheyAreTold)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 1);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 42));
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 9999));
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0042-hang.elf", "kmemdump-9999-hang.elf"}));
}

TEST(FolderSink, NumbersStartAgainPastTheHighest)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 1);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 10000));
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0001-hang.elf"}));
}

TEST(FolderSink, NeverTouchesAFileThatIsThere)
{
    const TempDir folder;
    make_file(folder / "kmemdump-0001-panic.elf", "complete");
    make_file(folder / "kmemdump-0002-panic.elf.incomplete", "incomplete");
    make_file(folder / "kmemdump-0003-panic.elf", "both");
    make_file(folder / "kmemdump-0003-panic.elf.incomplete", "of them");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().where, folder / "kmemdump-0004-panic.elf");
    EXPECT_EQ(describe(folder.path()), "kmemdump-0001-panic.elf size=8\n"
                                       "kmemdump-0002-panic.elf.incomplete size=10\n"
                                       "kmemdump-0003-panic.elf size=4\n"
                                       "kmemdump-0003-panic.elf.incomplete size=7\n"
                                       "kmemdump-0004-panic.elf size=4097 e_flags=0\n");
}

TEST(FolderSink, NeverFollowsASymbolicLink)
{
    const TempDir folder;
    const TempDir elsewhere;
    make_file(elsewhere / "precious", "precious");
    const auto link = [&](const std::string& target, const std::string& name) {
        must(::symlink(target.c_str(), (folder / name).c_str()) == 0, "symlink");
    };
    link(elsewhere / "precious", "kmemdump-0001-panic.elf");
    link(elsewhere / "missing", "kmemdump-0002-panic.elf");
    link(elsewhere / "precious", "kmemdump-0003-panic.elf.incomplete");
    link(elsewhere / "missing", "kmemdump-0004-panic.elf.incomplete");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().where, folder / "kmemdump-0005-panic.elf");
    EXPECT_EQ(describe(elsewhere.path()), "precious size=8\n");
}

TEST(FolderSink, TakesNoNumberThatAFileOfAnotherReasonHas)
{
    const TempDir folder;
    make_file(folder / "kmemdump-0001-request.elf", "");
    make_file(folder / "kmemdump-0002-hang.elf.incomplete", "");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().where, folder / "kmemdump-0003-panic.elf")
        << "folder_sink.h: the first number that no file there has";
}

TEST(FolderSink, FindsTheFreeNumberWhereverItIs)
{
    const TempDir folder;
    make_file(folder / "kmemdump-9998-panic.elf", "");
    make_file(folder / "kmemdump-9999-panic.elf.incomplete", "");
    make_file(folder / "kmemdump-0001-panic.elf", "");
    const OwnedPlan owned(4096, 1, 1);
    for (const unsigned first : {9998u, 9999u, 2 * 9999u, 0xffffffffu}) {
        ASSERT_TRUE(write_plan(owned.plan, folder.path(), "panic", first)) << first;
    }
    EXPECT_EQ(names_in(folder.path()),
              list({"kmemdump-0001-panic.elf", "kmemdump-0002-panic.elf", "kmemdump-0003-panic.elf",
                    "kmemdump-0004-panic.elf", "kmemdump-6834-panic.elf", "kmemdump-9998-panic.elf",
                    "kmemdump-9999-panic.elf.incomplete"}));
}

TEST(FolderSink, SaysSoWhenAllNumbersAreTaken)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 1);
    for (unsigned number = 1; number <= 9999; ++number) {
        std::array<char, 40> name;
        std::snprintf(name.data(), name.size(), "kmemdump-%04u-panic.elf", number);
        make_file(folder / name.data(), "");
    }
    const auto file = write_plan(owned.plan, folder.path(), "panic", 9998);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().what,
              "all numbers from 1 to 9999 are taken in " + folder.path() + ": move dumps elsewhere");
    std::filesystem::remove(folder / "kmemdump-5000-panic.elf");
    EXPECT_TRUE(write_plan(owned.plan, folder.path(), "panic", 9998)) << "there is one again";
}

TEST(FolderSink, FileIsForItsOwnerOnlyWhateverTheUmask)
{
    for (const unsigned mask : {0000u, 0022u, 0077u, 0277u, 0777u}) {
        const TempDir folder;
        const OwnedPlan owned(4096, 1, 1);
        const auto child = in_child([&]() -> std::string {
            ::umask(mask);
            return write_plan(owned.plan, folder.path(), "panic", 1) ? "written" : "not written";
        });
        EXPECT_EQ(child, "written");
        EXPECT_EQ(mode_of(folder / "kmemdump-0001-panic.elf"), 0600u) << "umask " << std::oct << mask;
    }
}

TEST(FolderSink, FileGetsItsFinalNameAfterItsLastByte)
{
    const TempDir folder;
    const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ASSERT_GE(watch, 0);
    ASSERT_GE(::inotify_add_watch(watch, folder.path().c_str(),
                                  IN_CREATE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE),
              0);
    const OwnedPlan owned(4096, 3000, 100);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "panic", 1));

    std::vector<std::string> events;
    alignas(inotify_event) char buffer[16384];
    ssize_t size = 0;
    while ((size = ::read(watch, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < size;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + i);
            const char* what = event->mask & IN_CREATE       ? "create "
                               : event->mask & IN_MODIFY     ? "write "
                               : event->mask & IN_MOVED_FROM ? "from "
                               : event->mask & IN_MOVED_TO   ? "to "
                                                             : "delete ";
            const std::string text = std::string(what) + event->name;
            if (events.empty() || events.back() != text) {
                events.push_back(text);
            }
            i += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        }
    }
    ::close(watch);
    EXPECT_EQ(events,
              list({"create kmemdump-0001-panic.elf.incomplete", "write kmemdump-0001-panic.elf.incomplete",
                    "from kmemdump-0001-panic.elf.incomplete", "to kmemdump-0001-panic.elf"}));
}

TEST(FolderSink, MemoryThatTheHostCannotReadLeavesAnIncompleteFile)
{
    const TempDir folder;
    OwnedPlan owned(4096, 1, 8192);
    void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    owned.plan.body.push_back({static_cast<const std::byte*>(page), 4096});
    EXPECT_EQ(try_write(owned.plan, folder.path()),
              "/kmemdump-0001-panic.elf.incomplete bytes=12288 [Bad address]\n"
              "kmemdump-0001-panic.elf.incomplete size=12288 e_flags=1\n");
    EXPECT_EQ(mode_of(folder / "kmemdump-0001-panic.elf.incomplete"), 0600u);
    ::munmap(page, 4096);
}

TEST(FolderSink, NextDumpLeavesAnIncompleteOneAlone)
{
    const TempDir folder;
    OwnedPlan broken(4096, 1, 4096);
    broken.plan.body.push_back({reinterpret_cast<const std::byte*>(16), 4096});
    ASSERT_TRUE(write_plan(broken.plan, folder.path(), "panic", 1));
    const OwnedPlan owned(4096, 1, 1);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "panic", 1));
    EXPECT_EQ(describe(folder.path()), "kmemdump-0001-panic.elf.incomplete size=8192 e_flags=1\n"
                                       "kmemdump-0002-panic.elf size=4097 e_flags=0\n");
}

/// In a process that may write files of `limit` bytes, with SIGXFSZ as it is by default: deadly.
std::string try_write_with_limit(const Plan& plan, const std::string& folder, rlim_t limit)
{
    return in_child([&]() -> std::string {
        std::signal(SIGXFSZ, SIG_DFL);
        const rlimit limits{limit, limit};
        must(::setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");
        return try_write(plan, folder);
    });
}

TEST(FolderSink, TwoWritersOfOneFolderCompleteEachOfTheirDumps)
{
    constexpr unsigned kDumps = 60;
    const TempDir folder;
    const OwnedPlan plan(4096, 1, 100);
    const pid_t other = ::fork();
    const auto write_all = [&] {
        bool complete = true;
        for (unsigned i = 0; i < kDumps; ++i) {
            const auto stored = write_plan(plan.plan, folder.path(), "panic", 1);
            complete = stored && stored.value().incomplete_because.empty() && complete;
        }
        return complete;
    };
    if (other == 0) {
        ::_exit(write_all() ? 0 : 1);
    }
    EXPECT_TRUE(write_all());
    int status = 0;
    ::waitpid(other, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(names_in(folder.path()).size(), 2 * kDumps);
    EXPECT_EQ(names_in(folder.path()).back(), "kmemdump-0120-panic.elf");
}

TEST(FullDisk, FileSizeLimitKeepsWhatWasWritten)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 5, 4096);
    EXPECT_EQ(try_write_with_limit(owned.plan, folder.path(), 10000),
              "/kmemdump-0001-panic.elf.incomplete bytes=10000 [File too large]\n"
              "kmemdump-0001-panic.elf.incomplete size=10000 e_flags=1\n");
    const auto bytes = bytes_of(folder / "kmemdump-0001-panic.elf.incomplete");
    auto expected = owned.file();
    expected.resize(10000);
    expected[48] = std::byte{1};
    EXPECT_TRUE(bytes == expected);
}

TEST(FullDisk, FileSizeLimitAtTheEndOfTheHeadKeepsTheHead)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 5, 4096);
    EXPECT_EQ(try_write_with_limit(owned.plan, folder.path(), 4096),
              "/kmemdump-0001-panic.elf.incomplete bytes=4096 [File too large]\n"
              "kmemdump-0001-panic.elf.incomplete size=4096 e_flags=1\n");
}

TEST(FullDisk, FileSizeLimitOfTheWholeFileIsNoLimit)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 5, 4096);
    EXPECT_EQ(try_write_with_limit(owned.plan, folder.path(), 24576),
              "/kmemdump-0001-panic.elf bytes=24576 []\n"
              "kmemdump-0001-panic.elf size=24576 e_flags=0\n");
}

TEST(FullDisk, NoFileStaysWhenNotEvenTheHeadFits)
{
    for (const rlim_t limit : {rlim_t{0}, rlim_t{1}, rlim_t{4095}}) {
        const TempDir folder;
        const OwnedPlan owned(4096, 5, 4096);
        EXPECT_EQ(try_write_with_limit(owned.plan, folder.path(), limit),
                  "error: cannot write to " + folder.path() + ": File too large\n");
        EXPECT_TRUE(names_in(folder.path()).empty());
    }
}

TEST(FullDisk, SignalOfTheFileSizeLimitIsAsItWasAfterwards)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 5, 4096);
    const auto child = in_child([&]() -> std::string {
        std::signal(SIGXFSZ, SIG_DFL);
        const rlimit limits{5000, 5000};
        must(::setrlimit(RLIMIT_FSIZE, &limits) == 0, "setrlimit");
        try_write(owned.plan, folder.path());
        sigset_t blocked;
        sigset_t pending;
        ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
        ::sigpending(&pending);
        return std::string(sigismember(&blocked, SIGXFSZ) ? "blocked" : "not blocked") +
               (sigismember(&pending, SIGXFSZ) ? ", pending" : ", not pending");
    });
    EXPECT_EQ(child, "not blocked, not pending");
}

TEST(FullDisk, KeepsWhatFitted)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 50, 4096);
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=64k");
        return try_write(owned.plan, folder.path());
    });
    EXPECT_EQ(child, "/kmemdump-0001-panic.elf.incomplete bytes=65536 [No space left on device]\n"
                     "kmemdump-0001-panic.elf.incomplete size=65536 e_flags=1\n");
}

TEST(FullDisk, HasNoFileWhenNotEvenTheHeadFits)
{
    const TempDir folder;
    const OwnedPlan owned(16384, 1, 4096);
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=8k");
        return try_write(owned.plan, folder.path());
    });
    EXPECT_EQ(child, "error: cannot write to " + folder.path() + ": No space left on device\n");
}

TEST(FullDisk, WithoutAFreeInodeIsAnError)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 4096);
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "nr_inodes=1");
        return try_write(owned.plan, folder.path());
    });
    EXPECT_EQ(child, "error: cannot create a file in " + folder.path() + ": No space left on device\n");
}

TEST(Folder, ThatBecomesReadOnlyIsAnError)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 4096);
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=64k");
        remount_read_only(folder.path());
        return try_write(owned.plan, folder.path());
    });
    EXPECT_EQ(child, "error: cannot create a file in " + folder.path() + ": Read-only file system\n");
}

TEST(Folder, ThatIsGoneIsAnError)
{
    TempDir folder;
    folder.remove();
    const OwnedPlan owned(4096, 1, 4096);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().what.find(folder.path()), std::string::npos) << file.error().what;
    EXPECT_NE(file.error().what.find("No such file"), std::string::npos) << file.error().what;
}

TEST(CheckOutputFolder, GivesTheAbsolutePathAndLeavesNothingBehind)
{
    const TempDir folder;
    const auto child = in_child([&]() -> std::string {
        must(::chdir(folder.path().c_str()) == 0, "chdir");
        const auto absolute = check_output_folder(".");
        return absolute ? absolute.value() : "error: " + absolute.error().what;
    });
    EXPECT_EQ(child, folder.path());
    EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(CheckOutputFolder, RefusesAMissingFolderAndSaysWhatToDo)
{
    const TempDir folder;
    const auto result = check_output_folder(folder / "missing");
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().what.find(folder / "missing"), std::string::npos) << result.error().what;
    EXPECT_NE(result.error().what.find("No such file or directory"), std::string::npos);
    EXPECT_NE(result.error().what.find("output="), std::string::npos) << result.error().what;
}

TEST(CheckOutputFolder, RefusesAnEmptyName)
{
    EXPECT_FALSE(check_output_folder(""));
}

TEST(CheckOutputFolder, RefusesAFile)
{
    const TempDir folder;
    make_file(folder / "file", "content");
    const auto result = check_output_folder(folder / "file");
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().what.find("Not a directory"), std::string::npos) << result.error().what;
    EXPECT_EQ(describe(folder.path()), "file size=7\n");
}

TEST(CheckOutputFolder, RefusesAReadOnlyFolder)
{
    const TempDir folder;
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=64k");
        remount_read_only(folder.path());
        const auto result = check_output_folder(folder.path());
        return result ? "accepted" : result.error().what;
    });
    EXPECT_NE(child.find("not writable: Read-only file system"), std::string::npos) << child;
}

/// Stores dumps with a pattern and a number to keep; names what is there then.
class Keeping : public testing::Test
{
  protected:
    void store(std::uint64_t keep, const Plan& plan, const std::string& reason = "panic")
    {
        StoreOptions options;
        FolderSink sink(folder.path(), NamePattern::parse("vm-%n-%r").value(), options, keep);
        const auto stored = sink.store(
            Dump{.plan = plan, .reason = reason, .number = ++dumps, .describe = [](const Stored&, bool) {
                     return "{}\n";
                 }});
        ASSERT_TRUE(stored) << stored.error().what;
        EXPECT_TRUE(stored.value().remarks.empty());
    }

    TempDir folder;
    OwnedPlan owned{4096, 1, 1};
    unsigned dumps = 0;
};

TEST_F(Keeping, NothingIsRemovedUnlessAsked)
{
    for (int i = 0; i < 5; ++i) {
        store(0, owned.plan);
    }
    EXPECT_EQ(names_in(folder.path()).size(), 10u) << "five dumps, each with a sidecar";
}

TEST_F(Keeping, OldestGoWithTheirSidecars)
{
    store(2, owned.plan);
    store(2, owned.plan, "request");
    store(2, owned.plan);
    store(2, owned.plan);
    EXPECT_EQ(names_in(folder.path()), list({"vm-0003-panic.elf", "vm-0003-panic.elf.json",
                                             "vm-0004-panic.elf", "vm-0004-panic.elf.json"}));
}

TEST_F(Keeping, TouchesNothingThatIsNoCompleteDumpOfThePattern)
{
    const auto others = list({"kmemdump-0001-panic.elf", "vm-0001-panic", "vm-0002-panic.elf.incomplete",
                              "vm-0003-panic.elf.zst", "vm-0004-panic.elf.bak", "vm-5-panic.elf"});
    for (const std::string& name : others) {
        make_file(folder / name, "precious");
    }
    must(::symlink("vm-0001-panic", (folder / "vm-0006-panic.elf").c_str()) == 0, "symlink");
    must(::mkdir((folder / "vm-0007-panic.elf").c_str(), 0700) == 0, "mkdir");
    store(1, owned.plan);
    store(1, owned.plan);
    auto expected = others;
    expected.insert(expected.end(), {"vm-0006-panic.elf", "vm-0007-panic.elf", "vm-0008-panic.elf",
                                     "vm-0008-panic.elf.json"});
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(names_in(folder.path()), expected);
}

TEST_F(Keeping, RemovesNothingWhenTheNewDumpIsIncomplete)
{
    store(1, owned.plan);
    OwnedPlan broken(4096, 1, 4096);
    broken.plan.body.push_back({reinterpret_cast<const std::byte*>(16), 4096});
    store(1, broken.plan);
    EXPECT_EQ(names_in(folder.path()),
              list({"vm-0001-panic.elf", "vm-0001-panic.elf.json", "vm-0002-panic.elf.incomplete",
                    "vm-0002-panic.elf.incomplete.json"}));
}

TEST_F(Keeping, TheNewDumpStaysEvenIfTheOthersComeFromTheFuture)
{
    store(1, owned.plan);
    const timespec future[2] = {{4000000000, 0}, {4000000000, 0}};
    must(::utimensat(AT_FDCWD, (folder / "vm-0001-panic.elf").c_str(), future, 0) == 0, "utimensat");
    store(1, owned.plan);
    EXPECT_EQ(names_in(folder.path()), list({"vm-0002-panic.elf", "vm-0002-panic.elf.json"}));
}

} // namespace
