// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the promise of the writer: a file under its final name is complete, whatever the host's
// disk does, and no file that was there before is ever touched.
#include "child_process.h"
#include "temp_dir.h"
#include "writer.h"

#include <gtest/gtest.h>

#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <sstream>

namespace
{

using kmd::check_output_folder;
using kmd::Plan;
using kmd::write_plan;
using kmd::test::bytes_of;
using kmd::test::in_child;
using kmd::test::make_file;
using kmd::test::mount_tmpfs;
using kmd::test::must;
using kmd::test::names_in;
using kmd::test::private_mounts;
using kmd::test::remount_read_only;
using kmd::test::TempDir;

/// A plan with a head of `head` bytes and a body of pieces, and the memory that it points to.
struct OwnedPlan {
    OwnedPlan(std::size_t head, std::size_t pieces, std::size_t piece_size) : memory(pieces * piece_size)
    {
        for (std::size_t i = 0; i < memory.size(); ++i) {
            memory[i] = static_cast<std::byte>(i * 31 + i / 251);
        }
        plan.head.assign(head, std::byte{0x48});
        plan.head[48] = std::byte{1};
        plan.head[49] = plan.head[50] = plan.head[51] = std::byte{0};
        plan.flags_offset = 48;
        for (std::size_t i = 0; i < pieces; ++i) {
            plan.body.push_back(std::span<const std::byte>(memory).subspan(i * piece_size, piece_size));
        }
        plan.file_size = head + memory.size();
    }

    /// What a complete file holds: everything, with the mark cleared.
    std::vector<std::byte> file() const
    {
        std::vector<std::byte> bytes = plan.head;
        bytes[48] = std::byte{0};
        bytes.insert(bytes.end(), memory.begin(), memory.end());
        return bytes;
    }

    std::vector<std::byte> memory;
    Plan plan;
};

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
        out << file.value().path.substr(folder.size()) << " bytes=" << file.value().bytes << " ["
            << file.value().incomplete_because << "]\n";
    }
    return out.str() + describe(folder);
}

TEST(Writer, WritesThePlanUnderItsFinalName)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 3, 1000);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().path, folder / "kmemdump-0001-panic.elf");
    EXPECT_EQ(file.value().bytes, 7096u);
    EXPECT_EQ(file.value().incomplete_because, "");
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0001-panic.elf"}));
    EXPECT_TRUE(bytes_of(folder / "kmemdump-0001-panic.elf") == owned.file());
}

TEST(Writer, ClearsOnlyTheMarkOfIncompleteness)
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

TEST(Writer, PlanWithoutBodyIsAFileToo)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 0, 0);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "request", 1));
    EXPECT_TRUE(bytes_of(folder / "kmemdump-0001-request.elf") == owned.file());
}

TEST(Writer, HandlesMorePiecesThanOneSystemCallTakes)
{
    for (const std::size_t pieces : {1022u, 1023u, 1024u, 1025u, 5000u}) { // IOV_MAX is 1024
        const TempDir folder;
        const OwnedPlan owned(4096, pieces, 3);
        const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
        ASSERT_TRUE(file);
        EXPECT_EQ(file.value().bytes, 4096 + pieces * 3);
        EXPECT_TRUE(bytes_of(file.value().path) == owned.file()) << pieces;
    }
}

TEST(Writer, EmptyPiecesDoNotEndTheFile)
{
    const TempDir folder;
    OwnedPlan owned(4096, 4, 500);
    owned.plan.body.insert(owned.plan.body.begin(), 3, {});
    owned.plan.body.insert(owned.plan.body.begin() + 4, 2000, {});
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_TRUE(bytes_of(file.value().path) == owned.file());
}

TEST(Writer, NumbersStartWhereTheyAreTold)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 1);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 42));
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 9999));
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0042-hang.elf", "kmemdump-9999-hang.elf"}));
}

TEST(Writer, NumbersStartAgainPastTheHighest)
{
    const TempDir folder;
    const OwnedPlan owned(4096, 1, 1);
    ASSERT_TRUE(write_plan(owned.plan, folder.path(), "hang", 10000));
    EXPECT_EQ(names_in(folder.path()), list({"kmemdump-0001-hang.elf"}));
}

TEST(Writer, NeverTouchesAFileThatIsThere)
{
    const TempDir folder;
    make_file(folder / "kmemdump-0001-panic.elf", "complete");
    make_file(folder / "kmemdump-0002-panic.elf.incomplete", "incomplete");
    make_file(folder / "kmemdump-0003-panic.elf", "both");
    make_file(folder / "kmemdump-0003-panic.elf.incomplete", "of them");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().path, folder / "kmemdump-0004-panic.elf");
    EXPECT_EQ(describe(folder.path()), "kmemdump-0001-panic.elf size=8\n"
                                       "kmemdump-0002-panic.elf.incomplete size=10\n"
                                       "kmemdump-0003-panic.elf size=4\n"
                                       "kmemdump-0003-panic.elf.incomplete size=7\n"
                                       "kmemdump-0004-panic.elf size=4097 e_flags=0\n");
}

TEST(Writer, NeverFollowsASymbolicLink)
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
    EXPECT_EQ(file.value().path, folder / "kmemdump-0005-panic.elf");
    EXPECT_EQ(describe(elsewhere.path()), "precious size=8\n");
}

TEST(Writer, TakesNoNumberThatAFileOfAnotherReasonHas)
{
    const TempDir folder;
    make_file(folder / "kmemdump-0001-request.elf", "");
    make_file(folder / "kmemdump-0002-hang.elf.incomplete", "");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 1);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().path, folder / "kmemdump-0003-panic.elf")
        << "writer.h: the first number that no file there has";
}

TEST(Writer, SaysSoWhenAllNumbersAreTaken)
{
    const TempDir folder;
    make_file(folder / "kmemdump-9998-panic.elf", "");
    make_file(folder / "kmemdump-9999-panic.elf.incomplete", "");
    const OwnedPlan owned(4096, 1, 1);
    const auto file = write_plan(owned.plan, folder.path(), "panic", 9998);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().what.find("9999"), std::string::npos) << file.error().what;
    EXPECT_EQ(describe(folder.path()),
              "kmemdump-9998-panic.elf size=0\nkmemdump-9999-panic.elf.incomplete size=0\n");
}

TEST(Writer, FileIsForItsOwnerOnlyWhateverTheUmask)
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

TEST(Writer, FileGetsItsFinalNameAfterItsLastByte)
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

TEST(Writer, MemoryThatTheHostCannotReadLeavesAnIncompleteFile)
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

TEST(Writer, NextDumpLeavesAnIncompleteOneAlone)
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

} // namespace
