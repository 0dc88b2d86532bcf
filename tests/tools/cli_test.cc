// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/cli.h"

#include <gtest/gtest.h>

#include <sstream>

namespace
{

using kmdump_test::CoreMaker;
using kmdump_test::RingMaker;
using kmdump_test::TemporaryFile;

struct Outcome {
    int status = 0;
    std::string out;
    std::string err;
};

Outcome kmdump_command(const std::vector<std::string>& arguments)
{
    std::vector<const char*> argv = {"kmdump"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    std::ostringstream out;
    std::ostringstream err;
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), out, err);
    return {status, out.str(), err.str()};
}

RingMaker panicked_guest()
{
    RingMaker ring(4, 10);
    ring.write("Linux version 6.12.0-test", 0, 5, 0);
    ring.write("\x1b]0;owned\a", 1500000, 6, 7);
    ring.write("Kernel panic - not syncing: sysrq\x1b triggered\nsecond line", 2000000999, 0, 0x80000001);
    ring.write("---[ end Kernel panic - not syncing: sysrq triggered ]---", 3000000000, 0, 1);
    return ring;
}

TEST(Info, SaysWhatTheDumpIsOf)
{
    CoreMaker maker = panicked_guest().core();
    *maker.vmcoreinfo += "CRASHTIME=1795477800\n";
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"info", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.out, "kernel:    6.12.0-test\n"
                          "machine:   aarch64\n"
                          "cpus:      2\n"
                          "memory:    2 segments, 3328 bytes\n"
                          "complete:  yes\n"
                          "kaslr:     0x4b201e400000\n"
                          "crashed:   2026-11-23 23:50:00 UTC\n"
                          "panic:     Kernel panic - not syncing: sysrq\\x1b triggered\n");
}

TEST(Info, WritesJson)
{
    CoreMaker maker = panicked_guest().core();
    maker.flags = 1;
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"info", "--json", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, "{\n"
                          "  \"kmdump\": 1,\n"
                          "  \"command\": \"info\",\n"
                          "  \"dump\": \"" +
                              file.path() +
                              "\",\n"
                              "  \"kernel\": \"6.12.0-test\",\n"
                              "  \"machine\": \"aarch64\",\n"
                              "  \"cpus\": 2,\n"
                              "  \"segments\": 2,\n"
                              "  \"bytes\": 3328,\n"
                              "  \"complete\": false,\n"
                              "  \"kaslr_offset\": \"0x4b201e400000\",\n"
                              "  \"crash_time\": null,\n"
                              "  \"panic\": \"Kernel panic - not syncing: sysrq\\\\x1b triggered\",\n"
                              "  \"log_error\": null\n"
                              "}\n");
}

TEST(Info, DoesWithoutALogAndWithStrangeValues)
{
    CoreMaker maker;
    maker.machine = 1;
    maker.cpus = 0;
    maker.flags = 1;
    maker.vmcoreinfo = "OSRELEASE=\x1b[2J\nKERNELOFFSET=zz\nCRASHTIME=18446744073709551615\n";
    maker.memory = {{0x1000, 0x1000, kmdump_test::Bytes(1)}};
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"info", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, "kernel:    \\x1b[2J\n"
                          "machine:   ELF machine 1\n"
                          "cpus:      0\n"
                          "memory:    1 segment, 1 byte\n"
                          "complete:  no, the host could not write everything\n"
                          "kaslr:     unknown\n"
                          "crashed:   18446744073709551615 seconds since 1970\n"
                          "panic:     unknown, expected SYMBOL(prb) in the VMCOREINFO note, found none\n");
}

TEST(Info, SaysNoneWhenTheGuestDidNotPanic)
{
    RingMaker ring(3, 8);
    ring.write("all is well");
    const TemporaryFile file(ring.core().make());
    EXPECT_NE(kmdump_command({"info", file.path()}).out.find("panic:     none\n"), std::string::npos);
}

TEST(Log, PrintsLinesAsDmesgDoes)
{
    const TemporaryFile file(panicked_guest().core().make());
    const auto result = kmdump_command({"log", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.out, "[    0.000000] Linux version 6.12.0-test\n"
                          "[    0.001500] \\x1b]0;owned\\x07\n"
                          "[    2.000000] Kernel panic - not syncing: sysrq\\x1b triggered\n"
                          "[    2.000000] second line\n"
                          "[    3.000000] ---[ end Kernel panic - not syncing: sysrq triggered ]---\n");
}

TEST(Log, PrintsTheNewestRecords)
{
    const TemporaryFile file(panicked_guest().core().make());
    EXPECT_EQ(kmdump_command({"log", file.path(), "--last", "2", "--caller"}).out,
              "[    2.000000][    C1] Kernel panic - not syncing: sysrq\\x1b triggered\n"
              "[    2.000000][    C1] second line\n"
              "[    3.000000][    T1] ---[ end Kernel panic - not syncing: sysrq triggered ]---\n");
    EXPECT_EQ(kmdump_command({"log", file.path(), "--last", "0"}).out, "");
    EXPECT_EQ(kmdump_command({"log", file.path(), "--last", "99"}).out,
              kmdump_command({"log", file.path()}).out);
}

TEST(Log, WritesJson)
{
    RingMaker ring = panicked_guest();
    ring.set_state(ring.write("unfinished"), 0);
    ring.write_without_data(1, 1);
    const TemporaryFile file(ring.core().make());
    const auto result = kmdump_command({"log", "--json", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, R"({"kmdump":1,"command":"log","dump":")" + file.path() +
                              R"(","being_written":1,"without_text":1,"damaged":0,"records":[
{"seq":0,"time_ns":0,"level":5,"caller":"T0","lines":["Linux version 6.12.0-test"]},
{"seq":1,"time_ns":1500000,"level":6,"caller":"T7","lines":["\\x1b]0;owned\\x07"]},
{"seq":2,"time_ns":2000000999,"level":0,"caller":"C1","lines":["Kernel panic - not syncing: sysrq\\x1b triggered","second line"]},
{"seq":3,"time_ns":3000000000,"level":0,"caller":"T1","lines":["---[ end Kernel panic - not syncing: sysrq triggered ]---"]}
]}
)");
}

TEST(Log, PrintsWhatItCanOfADamagedLogAndFails)
{
    RingMaker ring(3, 8);
    ring.write("good");
    ring.set_text_length(ring.write("bad"), 60000);
    const TemporaryFile file(ring.core().make());
    const auto result = kmdump_command({"log", file.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.out, "[    0.000000] good\n");
    EXPECT_EQ(result.err,
              "kmdump: " + file.path() +
                  ": the log in the dump is corrupt: records left out because they are damaged: 1\n");
}

TEST(Errors, AreOneSentenceWithTheFile)
{
    const TemporaryFile foreign(std::string_view("hello\n"));
    CoreMaker silent;
    silent.memory = {{0x1000, 0x1000, kmdump_test::Bytes(8)}};
    const TemporaryFile without_note(silent.make());
    for (const auto command : {"info", "log"}) {
        const auto wrong = kmdump_command({command, foreign.path()});
        EXPECT_EQ(wrong.status, 1);
        EXPECT_EQ(wrong.out, "");
        EXPECT_EQ(wrong.err,
                  "kmdump: " + foreign.path() + ": expected an ELF core image, found something else\n");
        const auto mute = kmdump_command({command, without_note.path()});
        EXPECT_EQ(mute.status, 1);
        EXPECT_EQ(mute.err, "kmdump: " + without_note.path() +
                                ": expected a VMCOREINFO note, found none: the guest did not give one to "
                                "the host\n");
    }
}

TEST(Errors, OfTheCommandLineAreOfTheirOwn)
{
    EXPECT_EQ(kmdump_command({}).status, 2);
    EXPECT_EQ(kmdump_command({"dance"}).status, 2);
    EXPECT_EQ(kmdump_command({"log"}).status, 2);
    EXPECT_EQ(kmdump_command({"log", "x", "--last", "many"}).status, 2);
    EXPECT_EQ(kmdump_command({"log", "x", "--last", "-1"}).status, 2);
    const auto help = kmdump_command({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.out.find("info"), std::string::npos);
}

TEST(Errors, IncludeAnOutputThatTakesNothing)
{
    const TemporaryFile file(panicked_guest().core().make());
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    std::ostringstream err;
    const char* const argv[] = {"kmdump", "log", file.path().c_str()};
    EXPECT_EQ(kmdump::run(3, argv, out, err), 1);
    EXPECT_EQ(err.str(), "kmdump: standard output: expected to write everything, could not\n");
}

} // namespace
