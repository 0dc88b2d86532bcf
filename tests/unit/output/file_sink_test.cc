// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the output to one file: it is always the last complete dump, and nothing less.
#include "hw/output/file_sink.h"
#include "hw/output/os_file.h"
#include "hw/output/pending_dump.h"
#include "owned_plan.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace
{

using kmd::Dump;
using kmd::FileSink;
using kmd::Stored;
using kmd::StoreOptions;
using kmd::test::bytes_of;
using kmd::test::make_file;
using kmd::test::names_in;
using kmd::test::OwnedPlan;
using kmd::test::TempDir;

std::vector<std::string> list(std::initializer_list<const char*> names)
{
    return {names.begin(), names.end()};
}

class OneFile : public testing::Test
{
  protected:
    OneFile() { broken.plan.body.push_back({reinterpret_cast<const std::byte*>(16), 4096}); }

    kmd::Result<Stored> store(const kmd::Plan& plan)
    {
        auto sink = FileSink::create(folder / "last.core", options);
        EXPECT_TRUE(sink);
        return sink.value()->store(Dump{.plan = plan,
                                        .reason = "panic",
                                        .describe = [](const Stored& s, bool) { return s.where + "\n"; }});
    }

    std::string text(const std::string& name)
    {
        const auto bytes = bytes_of(folder / name);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    TempDir folder;
    StoreOptions options;
    OwnedPlan first{4096, 1, 1};
    OwnedPlan second{4096, 3, 1000};
    OwnedPlan broken{4096, 1, 4096};
};

TEST_F(OneFile, IsReplacedByTheNextDump)
{
    make_file(folder / "last.core", "an older one");
    ASSERT_TRUE(store(first.plan));
    EXPECT_TRUE(bytes_of(folder / "last.core") == first.file());
    const auto stored = store(second.plan);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored.value().where, folder / "last.core");
    EXPECT_TRUE(bytes_of(folder / "last.core") == second.file());
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.json"}));
}

TEST_F(OneFile, SurvivesADumpThatCannotBeWritten)
{
    ASSERT_TRUE(store(first.plan));
    const auto stored = store(broken.plan);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored.value().incomplete_because, "Bad address");
    EXPECT_EQ(names_in(folder.path()),
              list({"last.core", "last.core.incomplete", "last.core.incomplete.json", "last.core.json"}));
    EXPECT_TRUE(bytes_of(folder / "last.core") == first.file());
    EXPECT_EQ(text("last.core.json"), folder / "last.core\n") << "still about the complete one";
}

TEST_F(OneFile, NextAttemptTakesThePlaceOfAnIncompleteOne)
{
    ASSERT_TRUE(store(broken.plan));
    ASSERT_TRUE(store(broken.plan));
    EXPECT_EQ(names_in(folder.path()), list({"last.core.incomplete", "last.core.incomplete.json"}));
    ASSERT_TRUE(store(first.plan));
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.json"}));
}

TEST_F(OneFile, SidecarOfTheReplacedDumpDoesNotStay)
{
    ASSERT_TRUE(store(first.plan));
    ASSERT_EQ(::mkdir((folder / "last.core.json.incomplete").c_str(), 0700), 0)
        << "so that no new one can be made";
    const auto stored = store(second.plan);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored.value().incomplete_because, "") << "a sidecar never costs the dump";
    ASSERT_EQ(stored.value().remarks.size(), 1u);
    EXPECT_NE(stored.value().remarks[0].find("there is no last.core.json"), std::string::npos);
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.json.incomplete"}));
}

TEST_F(OneFile, WithoutSidecarTouchesNoFileOfItsName)
{
    options.sidecar = false;
    make_file(folder / "last.core.json", "somebody else's");
    ASSERT_TRUE(store(first.plan));
    EXPECT_EQ(text("last.core.json"), "somebody else's");
}

TEST_F(OneFile, NeverFollowsASymbolicLink)
{
    make_file(folder / "precious", "precious");
    ASSERT_EQ(::symlink("precious", (folder / "last.core.incomplete").c_str()), 0);
    ASSERT_TRUE(store(first.plan));
    EXPECT_EQ(text("precious"), "precious");
    EXPECT_TRUE(bytes_of(folder / "last.core") == first.file());
}

/// What a writer in a process of its own does, and its exit status.
pid_t in_process(const std::function<bool()>& body)
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body() ? 0 : 1);
    }
    return child;
}

int status_of(pid_t child)
{
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

class TwoWriters : public OneFile
{
  protected:
    bool store_as(const OwnedPlan& plan, const char* who)
    {
        auto sink = FileSink::create(folder / "last.core", options);
        const auto stored = sink.value()->store(Dump{
            .plan = plan.plan,
            .reason = "panic",
            .describe = [&](const Stored&, bool) { return std::string(who); },
        });
        return stored && stored.value().incomplete_because.empty();
    }

    OwnedPlan large{4096, 64, 4096};
    OwnedPlan larger{4096, 65, 4096};
};

TEST_F(TwoWriters, NeverLeaveAnIncompleteFileUnderTheFinalName)
{
    constexpr int kDumps = 100;
    ASSERT_TRUE(store_as(large, "large"));
    std::vector<pid_t> writers;
    for (const OwnedPlan* plan : {&large, &larger}) {
        writers.push_back(in_process([&, plan] {
            bool all = true;
            for (int i = 0; i < kDumps; ++i) {
                all = store_as(*plan, plan == &large ? "large" : "larger") && all;
            }
            return all;
        }));
    }
    unsigned looks = 0;
    unsigned wrong = 0;
    for (bool running = true; running; ++looks) {
        siginfo_t ended{};
        ::waitid(P_PID, static_cast<id_t>(writers[0]), &ended, WEXITED | WNOHANG | WNOWAIT);
        running = ended.si_pid == 0;
        const auto bytes = bytes_of(folder / "last.core");
        wrong += bytes == large.file() || bytes == larger.file() ? 0 : 1;
    }
    EXPECT_EQ(wrong, 0u) << "of " << looks << " looks";
    EXPECT_EQ(status_of(writers[0]), 0) << "each dump of it was complete";
    EXPECT_EQ(status_of(writers[1]), 0);
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.json"}));
}

TEST_F(TwoWriters, LeaveTheSidecarOfTheDumpThatStays)
{
    for (int i = 0; i < 30; ++i) {
        const pid_t a = in_process([&] { return store_as(large, "large"); });
        const pid_t b = in_process([&] { return store_as(larger, "larger"); });
        ASSERT_EQ(status_of(a), 0);
        ASSERT_EQ(status_of(b), 0);
        const bool first_stays = bytes_of(folder / "last.core") == large.file();
        ASSERT_EQ(text("last.core.json"), first_stays ? "large" : "larger");
    }
}

TEST_F(TwoWriters, OneThatIsStillAtItKeepsItsNameAndOneThatIsGoneDoesNot)
{
    const kmd::Descriptor where = kmd::open_folder(folder.path());
    auto busy = kmd::PendingDump::claim(where.get(), "last.core");
    ASSERT_TRUE(busy);
    make_file(folder / "last.core.2.incomplete", "of a QEMU that was killed");
    ASSERT_TRUE(store(first.plan));
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.incomplete", "last.core.json"}));
    busy.reset();
    ASSERT_TRUE(store(second.plan));
    EXPECT_EQ(names_in(folder.path()), list({"last.core", "last.core.json"}));
}

TEST(FileProperty, NamesAFileInAFolderThatExists)
{
    const TempDir folder;
    const auto error = [](const std::string& path) {
        const auto sink = FileSink::create(path, {});
        return sink ? "" : sink.error().what;
    };
    ASSERT_EQ(::symlink("x", (folder / "link").c_str()), 0);
    EXPECT_EQ(error(folder / "new"), "");
    for (const std::string& path :
         {std::string(), folder.path(), folder.path() + "/", folder / "..", folder / "link"}) {
        EXPECT_NE(error(path).find("is not the name of a file"), std::string::npos) << path << error(path);
    }
    EXPECT_NE(
        error(folder / "missing/file").find("file folder '" + (folder / "missing") + "' cannot be opened"),
        std::string::npos);
    EXPECT_TRUE(names_in(folder.path()) == list({"link"}));
}

} // namespace
