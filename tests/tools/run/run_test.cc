// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "kmdump/run/child_process.h"
#include "kmdump/run/guest_machine.h"
#include "kmdump/run/qemu_plugin.h"
#include "kmdump/run/run_folder.h"
#include "kmdump/run/run_outcome.h"
#include "sidecar_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

namespace
{

using kmdump::End;
using kmdump::RunFacts;
using kmdump::TakenDump;

const TakenDump kPanic{"p.elf", "panic", true};
const TakenDump kRequest{"r.elf", "request", true};

int status_of(const RunFacts& facts)
{
    return kmdump::judge(facts).status;
}

std::string sentence_of(const RunFacts& facts)
{
    return kmdump::judge(facts).sentence;
}

/// The first bytes of a kernel image, with a magic at an offset.
kmdump_test::Bytes image_with(std::size_t at, std::string_view magic)
{
    kmdump_test::Bytes bytes(4096);
    std::memcpy(&bytes[at], magic.data(), magic.size());
    return bytes;
}

std::string architecture_of(const kmdump_test::Bytes& bytes)
{
    return kmdump::architecture_of_image(std::as_bytes(std::span(bytes)));
}

TEST(GuestMachine, IsThatOfTheKernelsHeader)
{
    EXPECT_EQ(architecture_of(image_with(56, "ARM\x64")), "aarch64");
    EXPECT_EQ(architecture_of(image_with(56, "RSC\x05")), "riscv64");
    EXPECT_EQ(architecture_of(image_with(0x202, "HdrS")), "x86_64");
    // A PE file: "MZ", the place of its header, "PE" and the machine there.
    for (const auto& [machine, name] : {std::pair(0xaa64, "aarch64"), std::pair(0x5064, "riscv64"),
                                        std::pair(0x8664, "x86_64"), std::pair(0x14c, "")}) {
        auto pe = image_with(0, "MZ");
        kmdump_test::put(pe, 0x3c, 0x80, 4);
        kmdump_test::put(pe, 0x80, 0x4550, 4);
        kmdump_test::put(pe, 0x84, static_cast<std::uint64_t>(machine), 2);
        EXPECT_EQ(architecture_of(pe), name);
        kmdump_test::put(pe, 0x3c, 0xfffffffe, 4);
        EXPECT_EQ(architecture_of(pe), "") << "its header is not in the file";
        kmdump_test::put(pe, 0x3c, 4095, 4);
        EXPECT_EQ(architecture_of(pe), "");
    }
    auto elf = image_with(0, "\x7f"
                             "ELF");
    kmdump_test::put(elf, 18, 62, 2);
    EXPECT_EQ(architecture_of(elf), "x86_64");
    EXPECT_EQ(architecture_of(image_with(0, "\x1f\x8b")), "") << "compressed";
    EXPECT_EQ(architecture_of({}), "");
}

TEST(GuestMachine, IsTheOneThatIsNamedElseThatOfTheKernelElseAarch64)
{
    const kmdump_test::TemporaryFile x86(image_with(0x202, "HdrS"));
    const kmdump_test::TemporaryFile compressed(image_with(0, "\x1f\x8b"));
    EXPECT_STREQ(kmdump::choose_guest_machine("", x86.path()).value().machine, "q35");
    EXPECT_STREQ(kmdump::choose_guest_machine("riscv64", x86.path()).value().program, "qemu-system-riscv64");
    EXPECT_STREQ(kmdump::choose_guest_machine("", compressed.path()).value().architecture, "aarch64");
    const auto unknown = kmdump::choose_guest_machine("ppc64", x86.path());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().what, "expected an architecture of aarch64, x86_64, riscv64, found ppc64");
}

TEST(Outcome, OfAGuestThatPowersOffIsGood)
{
    EXPECT_EQ(status_of({.end = End::kPoweredOff}), 0);
    EXPECT_EQ(status_of({.end = End::kPoweredOff, .dumps = {kRequest, {"h.elf", "host", true}}}), 0);
}

TEST(Outcome, OfAResetDependsOnWhetherTheDriverTookItsRegionsBack)
{
    EXPECT_EQ(status_of({.end = End::kReset, .ever_registered = true}), 0);
    EXPECT_EQ(status_of({.end = End::kReset, .ever_registered = true, .registered_now = true}), 4);
    EXPECT_EQ(status_of({.end = End::kReset}), 4);
    EXPECT_EQ(sentence_of({.end = End::kReset}),
              "the guest was reset unexpectedly and left no dump: the guest registered nothing, and no Linux "
              "kernel was found in its memory, or was looked for (linux=off)");
}

TEST(Outcome, OfACrashIsItsDump)
{
    EXPECT_EQ(
        status_of({.end = End::kReset, .ever_registered = true, .registered_now = true, .dumps = {kPanic}}),
        3);
    EXPECT_EQ(status_of({.end = End::kHungAfterPanic, .dumps = {kPanic}}), 3);
    EXPECT_EQ(status_of({.end = End::kPoweredOff, .dumps = {{"s.elf", "shutdown", true}}}), 3);
    EXPECT_EQ(status_of({.end = End::kQemuFailed, .dumps = {kRequest, kPanic}}), 3);
    // Without a sidecar there is no saying that all was well.
    EXPECT_EQ(status_of({.end = End::kPoweredOff, .dumps = {{"s.elf", "", true}}}), 3);
}

TEST(Outcome, OfACrashWithoutAWholeDumpSaysWhy)
{
    const RunFacts full{.end = End::kReset,
                        .ever_registered = true,
                        .registered_now = true,
                        .dumps = {{"p.elf.incomplete", "panic", false}},
                        .last_error = "No space left on device"};
    EXPECT_EQ(status_of(full), 4);
    EXPECT_EQ(sentence_of(full),
              "the guest was reset unexpectedly and left no dump: No space left on device");
    EXPECT_EQ(status_of({.end = End::kPanicked}), 4);
    EXPECT_EQ(status_of({.end = End::kPoweredOff, .panicked = true}), 4);
    EXPECT_EQ(status_of({.end = End::kTimeout, .panicked = true, .dumps = {kPanic}}), 3);
}

TEST(Outcome, OfAPanicThatTheConsoleAloneShowsIsACrash)
{
    // A capture kernel took over, and powered off or restarted in good order.
    const RunFacts off{.end = End::kPoweredOff, .console_panic = true, .ever_registered = true};
    EXPECT_EQ(status_of(off), 4);
    EXPECT_EQ(sentence_of(off),
              "according to its console, the guest panicked and left no dump: no attempt was made");
    EXPECT_EQ(status_of({.end = End::kReset, .console_panic = true, .ever_registered = true}), 4);
    EXPECT_EQ(status_of({.end = End::kPoweredOff, .console_panic = true, .dumps = {kPanic}}), 3);
    const RunFacts abandoned{
        .end = End::kPoweredOff, .console_panic = true, .dumps = {{"a.elf", "abandoned", true}}};
    EXPECT_EQ(status_of(abandoned), 3);
    EXPECT_EQ(sentence_of(abandoned), "a kernel of the guest ended without unregistering its regions");
}

TEST(Outcome, OfATimeoutIsItsOwn)
{
    EXPECT_EQ(status_of({.end = End::kTimeout, .dumps = {{"h.elf", "hang", true}}, .seconds = 9}), 5);
    EXPECT_EQ(sentence_of({.end = End::kTimeout, .seconds = 9}), "the guest did not end within 9 s");
    EXPECT_EQ(sentence_of({.end = End::kTimeout, .host_error = "no room", .seconds = 9}),
              "the guest did not end within 9 s; no dump could be taken of it: no room");
}

TEST(Outcome, OfQemuAndOfSignalsAreNotTheGuests)
{
    EXPECT_EQ(status_of({.end = End::kQemuFailed, .host_error = "x"}), 6);
    EXPECT_EQ(status_of({.end = End::kEndedByTheHost}), 6);
    EXPECT_EQ(status_of({.end = End::kSignal, .dumps = {kPanic}, .signal = 2}), 130);
}

TEST(Outcome, PrimaryDumpIsTheLastWholeOneOfTheCrash)
{
    const TakenDump reset{"x.elf", "reset", true};
    EXPECT_EQ(kmdump::primary_dump({kRequest, kPanic, kRequest})->path, "p.elf");
    EXPECT_EQ(kmdump::primary_dump({kPanic, reset, {"i", "panic", false}})->path, "x.elf");
    EXPECT_EQ(kmdump::primary_dump({kRequest})->path, "r.elf");
    EXPECT_FALSE(kmdump::primary_dump({}));
}

TEST(QemuVersion, IsReadOutOfWhatTheProgramPrints)
{
    EXPECT_EQ(kmdump::parse_qemu_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright"),
              "7.2.22");
    EXPECT_EQ(kmdump::parse_qemu_version("GNU bash, version 5.2.15"), std::nullopt);
}

TEST(Plugin, ThatIsNoneIsRefused)
{
    const kmdump_test::TemporaryFile text(std::string_view("hello\n"));
    EXPECT_EQ(kmdump::check_plugin(text.path(), "7.2.22")->what,
              text.path() + ": expected the plugin kmemdump-md.so, found something else");
    EXPECT_TRUE(kmdump::check_plugin("/bin/true", "7.2.22"));
    EXPECT_TRUE(kmdump::check_plugin("/does/not/exist", "7.2.22"));
}

TEST(WayIn, IsNoneIntoAProgramThatExportsNothing)
{
    EXPECT_FALSE(kmdump::way_into("/bin/true"));
}

TEST(WayIn, IsThePluginForAScriptThatNobodyCanLookInto)
{
    const kmdump_test::TemporaryFile script(std::string_view("#!/bin/sh\nexec qemu-system-aarch64 \"$@\"\n"));
    EXPECT_EQ(kmdump::way_into(script.path()), kmdump::WayIn::kPlugin);
}

TEST(ChildProcess, HasAnOutputAndAnEnd)
{
    EXPECT_EQ(kmdump::output_of({"/bin/sh", "-c", "echo \"$0\"", "two  words"}).value(), "two  words\n");
    EXPECT_EQ(kmdump::output_of({"/bin/sh", "-c", "exit 3"}).error().what,
              "/bin/sh ended with exit status 3");
    EXPECT_EQ(kmdump::output_of({"/bin/sh", "-c", "kill -9 $$"}).error().what,
              "/bin/sh ended with signal 9 (Killed)");
    EXPECT_EQ(kmdump::output_of({"/does/not/exist"}).error().what,
              "cannot run /does/not/exist: No such file or directory");
}

class RunFolders : public testing::Test
{
  protected:
    RunFolders()
    {
        std::string name = std::filesystem::temp_directory_path() / "kmdump-XXXXXX";
        top_ = ::mkdtemp(name.data());
    }
    ~RunFolders() override { std::filesystem::remove_all(top_); }

    std::filesystem::path top_;
};

TEST_F(RunFolders, KeepWhatEarlierRunsLeft)
{
    const std::string path = top_ / "new/deep";
    {
        const auto first = kmdump::RunFolder::reserve(path);
        EXPECT_EQ(first.value().console(), path + "/console-0001.log");
        std::ofstream(first.value().path() + "/kmemdump-0001-panic.elf") << "old";
    }
    const auto reserved = kmdump::RunFolder::reserve(path);
    const auto& second = reserved.value();
    EXPECT_EQ(second.console(), path + "/console-0002.log");
    EXPECT_EQ(second.messages(), path + "/qemu-0002.log");
    EXPECT_TRUE(second.dumps().empty());

    std::ofstream(path + "/kmemdump-0002-panic.elf") << "new";
    std::ofstream(path + "/kmemdump-0002-panic.elf.json") << kmdump_test::sidecar_text(3);
    std::ofstream(path + "/kmemdump-0003-reset.elf.incomplete") << "cut off";
    std::ofstream(path + "/kmemdump-0003-reset.elf.incomplete.json") << "no JSON";
    const auto dumps = second.dumps();
    ASSERT_EQ(dumps.size(), 2u);
    EXPECT_EQ(dumps[0].path, path + "/kmemdump-0002-panic.elf");
    EXPECT_EQ(dumps[0].reason, "panic");
    EXPECT_TRUE(dumps[0].complete);
    EXPECT_EQ(dumps[1].reason, "");
    EXPECT_FALSE(dumps[1].complete);
}

TEST_F(RunFolders, AreForOneRunAtATime)
{
    const std::string path = top_ / "shared";
    {
        const auto one = kmdump::RunFolder::reserve(path);
        ASSERT_TRUE(one);
        const auto other = kmdump::RunFolder::reserve(path);
        ASSERT_FALSE(other) << "its dumps would be taken for those of the first";
        EXPECT_EQ(other.error().what,
                  path + ": another run is under way there: expected a folder of its own for each");
    }
    EXPECT_TRUE(kmdump::RunFolder::reserve(path)) << "it is over";
}

TEST_F(RunFolders, KnowWhatTheConsoleSays)
{
    const auto reserved = kmdump::RunFolder::reserve(top_ / "console");
    const auto& folder = reserved.value();
    EXPECT_FALSE(folder.console_has("Kernel panic"));
    // Across a border of the blocks in which it is read.
    std::ofstream(folder.console()) << std::string(65530, 'x') << "Kernel panic - not syncing: y\n";
    EXPECT_TRUE(folder.console_has("Kernel panic - not syncing"));
    EXPECT_FALSE(folder.console_has("Kernel oops"));
}

TEST_F(RunFolders, AreRefusedWhereThereCanBeNone)
{
    std::ofstream(top_ / "file") << "x";
    EXPECT_FALSE(kmdump::RunFolder::reserve(top_ / "file"));
    EXPECT_FALSE(kmdump::RunFolder::reserve("/proc/none"));
}

TEST_F(RunFolders, OfTheirOwnAreNumbered)
{
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(top_);
    EXPECT_EQ(kmdump::RunFolder::reserve("").value().path(), "kmdump-run-0001");
    EXPECT_EQ(kmdump::RunFolder::reserve("").value().path(), "kmdump-run-0002");
    std::filesystem::current_path(here);
}

int status_of_command(const std::vector<const char*>& arguments, std::string& err)
{
    std::vector<const char*> argv = {"kmdump", "run"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    std::ostringstream out;
    std::ostringstream errors;
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), out, errors);
    err = errors.str();
    return status;
}

TEST(Run, RefusesACommandLineThatMakesNoSense)
{
    std::string err;
    EXPECT_EQ(status_of_command({}, err), 2);
    EXPECT_NE(err.find("--kernel is required"), std::string::npos) << err;
    for (const std::vector<const char*>& wrong :
         {std::vector{"--kernel", "/bin/true", "--cpus", "0"},
          std::vector{"--kernel", "/bin/true", "--timeout", "soon"},
          std::vector{"--kernel", "/bin/true", "--timeout", "0"}, std::vector{"--kernel"}}) {
        EXPECT_EQ(status_of_command(wrong, err), 2);
    }
    EXPECT_EQ(status_of_command({"--kernel", "/does/not/exist"}, err), 2);
    EXPECT_EQ(err, "kmdump: /does/not/exist: cannot be opened: No such file or directory\n");
    EXPECT_EQ(status_of_command({"--kernel", "/bin/true", "--initrd", "/does/not/exist"}, err), 2);
}

} // namespace
