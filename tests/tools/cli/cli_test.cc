// SPDX-License-Identifier: GPL-2.0-or-later
#include "btf_maker.h"
#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "plain_text.h"
#include "sidecar_text.h"
#include "task_maker.h"
#include "temp_dir.h"
#include "types_maker.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <elf.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace
{

using kmdump_test::CoreMaker;
using kmdump_test::RingMaker;
using kmdump_test::TaskMaker;
using kmdump_test::TemporaryFile;
using kmdump_test::types_of_tasks;

struct Outcome {
    int status = 0;
    std::string out;
    std::string err;
};

Outcome kmdump_command(const std::vector<std::string>& arguments, const kmdump::Style& style = {})
{
    std::vector<const char*> argv = {"kmdump"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    std::ostringstream out;
    std::ostringstream err;
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), out, err, style);
    return {status, out.str(), err.str()};
}

std::string text_of(const kmdump_test::Bytes& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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

constexpr std::uint64_t kText = 0xffff8000'80100000;
constexpr std::uint64_t kStack = 0xffff8000'80020000;

/// The same guest with two CPUs that ran something, and symbols.
CoreMaker panicked_cpus()
{
    kmdump_test::KallsymsMaker kallsyms;
    kallsyms.symbols = {{kText, "_text"},
                        {kText + 0x100, "panic"},
                        {kText + 0x300, "sysrq_handle_crash"},
                        {kText + 0x400, "_end"}};
    RingMaker ring = panicked_guest();
    ring.write("CPU: 1 PID: 1 Comm: init");
    CoreMaker maker = ring.core();
    *maker.vmcoreinfo += kallsyms.vmcoreinfo();
    maker.memory.push_back(kallsyms.make());
    kmdump_test::Bytes stack(64);
    kmdump_test::put(stack, 0, kStack + 32, 8);
    kmdump_test::put(stack, 8, kText + 0x320, 8);
    maker.memory.push_back({kStack, 0x42000000, stack});
    maker.prstatus = {kmdump_test::prstatus(0x400000, 0, 0, 0),
                      kmdump_test::prstatus(kText + 0x110, kStack, kText + 0x320)};
    return maker;
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
                          "cpus:      2, CPU 1 panicked\n"
                          "memory:    2 segments, 3328 bytes\n"
                          "complete:  yes\n"
                          "kaslr:     0x4b201e400000\n"
                          "crashed:   2026-11-23 23:50:00 UTC\n"
                          "panic:     Kernel panic - not syncing: sysrq\\x1b triggered\n");
}

// The log, and the calls of the CPUs, say CPU 1.
TEST(PanicCpu, IsWhatTheKernelsVariableSaysBeforeTheLogAndTheCalls)
{
    constexpr std::uint64_t page = 0xffff8000'80040000;
    constexpr std::uint64_t variable = page + 0x800;
    kmdump_test::Bytes bytes(4096);
    const std::string layout =
        "KMD_LAYOUT=1\nSYMBOL(kmd_layout)=ffff800080040000\nSYMBOL(panic_cpu)=ffff800080040800\n";
    std::memcpy(bytes.data(), layout.data(), layout.size());
    for (const std::uint32_t value : {0u, 1u, 2u, 0xffffffffu}) {
        const unsigned expected = value < 2 ? value : 1;
        kmdump_test::put(bytes, variable - page, value, 4);
        CoreMaker maker = panicked_cpus();
        maker.memory.push_back({page, 0x43000000, bytes});
        const TemporaryFile file(maker.make());
        const auto info = nlohmann::json::parse(kmdump_command({"info", "--json", file.path()}).out);
        EXPECT_EQ(info["panic_cpu"], expected) << value;
        const auto cpus = nlohmann::json::parse(kmdump_command({"cpus", "--json", file.path()}).out);
        EXPECT_EQ(cpus["cpus"][expected]["panicked"], true) << value;
        EXPECT_EQ(cpus["cpus"][1 - expected]["panicked"], false) << value;
    }
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
                              "  \"panic\": \"Kernel panic - not syncing: sysrq\\u001b triggered\",\n"
                              "  \"panics_after_it\": [],\n"
                              "  \"panic_cpu\": 1,\n"
                              "  \"log_error\": null,\n"
                              "  \"sidecar\": null,\n"
                              "  \"sidecar_error\": null\n"
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
{"seq":1,"time_ns":1500000,"level":6,"caller":"T7","lines":["\u001b]0;owned\u0007"]},
{"seq":2,"time_ns":2000000999,"level":0,"caller":"C1","lines":["Kernel panic - not syncing: sysrq\u001b triggered","second line"]},
{"seq":3,"time_ns":3000000000,"level":0,"caller":"T1","lines":["---[ end Kernel panic - not syncing: sysrq triggered ]---"]}
]}
)");
}

TEST(Log, LosesNoByteInEitherForm)
{
    RingMaker ring(3, 9);
    ring.write("C:\\x1b \xc3\xbc");
    // NOLINTNEXTLINE(misc-misleading-bidirectional): must come out escaped
    ring.write("broken \xff\n\xe2\x80\xae");
    const TemporaryFile file(ring.core().make());
    EXPECT_EQ(kmdump_command({"log", file.path()}).out, "[    0.000000] C:\\\\x1b \xc3\xbc\n"
                                                        "[    0.000000] broken \\xff\n"
                                                        "[    0.000000] \\xe2\\x80\\xae\n");
    const auto json = nlohmann::json::parse(kmdump_command({"log", "--json", file.path()}).out);
    EXPECT_EQ(json["records"][0]["lines"][0], "C:\\x1b \xc3\xbc");
    EXPECT_FALSE(json["records"][0].contains("text_hex"));
    // JSON has no bytes that are no UTF-8.
    EXPECT_EQ(json["records"][1]["lines"][0], "broken \xef\xbf\xbd");
    EXPECT_EQ(json["records"][1]["text_hex"], "62726f6b656e20ff0ae280ae");
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

TEST(Info, AddsWhatTheSidecarSays)
{
    const kmd::test::TempDir folder;
    const std::string path = folder / "x.elf";
    const auto bytes = panicked_cpus().make();
    kmd::test::make_file(path, text_of(bytes));
    std::string sidecar = kmdump_test::sidecar_text(bytes.size());
    sidecar.replace(sidecar.find("\"left_out\":[]"), 13,
                    R"("left_out":[{"slot":3,"name":"x","reason":"it is not RAM"}])");
    sidecar.replace(sidecar.find("\"remarks\":[]"), 12, R"("remarks":["first","second"])");
    kmd::test::make_file(path + ".json", sidecar);
    const auto result = kmdump_command({"info", path});
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.out.find("cpus:      2, CPU 1 panicked\n"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("taken:     2026-11-24T18:12:25Z, reason: panic\n"
                              "regions:   1, 1 left out\n"
                              "           slot 3 'x': it is not RAM\n"
                              "remarks:   first\n"
                              "           second\n"),
              std::string::npos)
        << result.out;
    kmd::test::make_file(path + ".json", "{");
    const auto damaged = kmdump_command({"info", path});
    EXPECT_EQ(damaged.status, 0);
    EXPECT_NE(
        damaged.out.find("regions:   unknown, its sidecar is damaged: expected a JSON object with a member "
                         "kmemdump-md\n"),
        std::string::npos)
        << damaged.out;
}

TEST(Info, CallsNothingLeftOutThatNoReaderMisses)
{
    const kmd::test::TempDir folder;
    const std::string path = folder / "x.elf";
    const auto bytes = panicked_cpus().make();
    kmd::test::make_file(path, text_of(bytes));
    std::string sidecar = kmdump_test::sidecar_text(bytes.size());
    const auto region = [](int slot, const std::string& kind) {
        return R"(,{"slot":)" + std::to_string(slot) + R"(,"id":1,"name":"x","kind":")" + kind +
               R"(","phys":"0x40300000","virt":"0xffff800080300000","size":8,"status":"it is valid","accepted":true}])";
    };
    for (const auto& [slot, kind] :
         {std::pair(1, "elf-header"), std::pair(12, "list"), std::pair(2, "memory")}) {
        sidecar.replace(sidecar.rfind(']'), 1, region(slot, kind));
    }
    const auto with_left_out = [&](const std::string& sentences) {
        std::string text = sidecar;
        text.replace(text.find("\"left_out\":[]"), 13, "\"left_out\":[" + sentences + "]");
        kmd::test::make_file(path + ".json", text);
        return kmdump_command({"info", path}).out;
    };
    const std::string by_design =
        R"({"slot":1,"name":"ELF","reason":"readers would take it for another core"},)"
        R"({"slot":12,"name":"list","reason":"the memory that it lists is in its place"})";
    const auto whole = with_left_out(by_design);
    EXPECT_NE(whole.find("regions:   4, all of them saved\n"), std::string::npos) << whole;
    const auto cut =
        with_left_out(by_design + R"(,{"slot":2,"name":"x","reason":"not all of it was written"})");
    EXPECT_NE(cut.find("regions:   4, 1 left out\n           slot 2 'x': not all of it was written\n"),
              std::string::npos)
        << cut;
}

TEST(Info, SaysWhyTheKernelIsUnknown)
{
    const kmd::test::TempDir folder;
    const std::string path = folder / "x.elf";
    CoreMaker core = panicked_cpus();
    core.vmcoreinfo = "another use of the memory\n";
    const auto bytes = core.make();
    kmd::test::make_file(path, text_of(bytes));
    const auto alone = kmdump_command({"info", path});
    EXPECT_TRUE(alone.out.starts_with("kernel:    unknown, the dump has no vmcoreinfo that names it\n"))
        << alone.out;
    std::string sidecar = kmdump_test::sidecar_text(bytes.size());
    sidecar.replace(sidecar.find("\"left_out\""), 0, R"("vmcoreinfo_lost":true,)");
    kmd::test::make_file(path + ".json", sidecar);
    const auto lost = kmdump_command({"info", path});
    EXPECT_TRUE(lost.out.starts_with(
        "kernel:    unknown, the memory that the guest registered as vmcoreinfo no longer holds it\n"))
        << lost.out;
    EXPECT_NE(lost.out.find("complete:  no, it lacks some of what the guest wanted saved\n"),
              std::string::npos)
        << lost.out;
}

TEST(Cpus, ShowsRegistersAndWhereTheyCameFrom)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto result = kmdump_command({"cpus", file.path()});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto second =
        result.out.find("CPU 1, panicked\n"
                        "  pc  ffff800080100110  panic+0x10/0x200\n"
                        "  lr  ffff800080100320  sysrq_handle_crash+0x20/0x100\n"
                        "  sp  ffff800080020000   pstate 0000000000000005\n"
                        "  x0  0000000000000100   x1  0000000000000101   x2  0000000000000102\n");
    ASSERT_NE(second, std::string::npos) << result.out;
    EXPECT_TRUE(result.out.ends_with("  x30 ffff800080100320\n"
                                     "  backtrace:\n"
                                     "    ffff800080100110  panic+0x10/0x200\n"
                                     "    ffff800080100320  sysrq_handle_crash+0x20/0x100\n"))
        << result.out;
    EXPECT_TRUE(result.out.starts_with("CPU 0, in a program\n  pc  0000000000400000\n")) << result.out;
    EXPECT_EQ(result.out.substr(0, second).find("backtrace"), std::string::npos);
}

TEST(Cpus, ThatNeverStartedAreOneLine)
{
    CoreMaker maker = panicked_cpus();
    maker.cpus = 9;
    for (int i = 0; i < 5; ++i) {
        kmdump_test::Bytes reset(392);
        kmdump_test::put(reset, 112 + 8 * 33, 0x3c5, 8);
        maker.prstatus.push_back(reset);
    }
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"cpus", file.path()});
    EXPECT_TRUE(result.out.ends_with("\n\nCPUs 2 to 6, never started\n"
                                     "\nCPUs 7 to 8, no registers in the dump\n"))
        << result.out;
    const auto json = nlohmann::json::parse(kmdump_command({"cpus", "--json", file.path()}).out);
    EXPECT_EQ(json["cpus"][1]["state"], "panicked");
    EXPECT_EQ(json["cpus"][2]["state"], "never started");
    EXPECT_EQ(json["cpus"].size(), 9u);
}

TEST(Cpus, ThatTheKernelTookOfflineAreCalledThat)
{
    constexpr std::uint64_t mask_at = 0xffff8000a0000000;
    CoreMaker maker = panicked_cpus();
    maker.cpus = 3;
    maker.prstatus.push_back(kmdump_test::prstatus(kText + 0x10, kStack, kText + 0x50));
    kmdump_test::Bytes mask(8);
    kmdump_test::put(mask, 0, 0b011, 8);
    maker.memory.push_back({mask_at, 0x47000000, mask});
    const kmd::test::TempDir folder;
    const std::string path = folder / "x.elf";
    const auto bytes = maker.make();
    kmd::test::make_file(path, text_of(bytes));
    EXPECT_EQ(nlohmann::json::parse(kmdump_command({"cpus", "--json", path}).out)["cpus"][2]["state"],
              "in the kernel");
    std::string sidecar = kmdump_test::sidecar_text(bytes.size());
    sidecar.replace(sidecar.find(R"({"slot":0)"), 0,
                    R"({"slot":1,"id":9,"name":"cpu_active","kind":"memory","phys":"0x47000000",)"
                    R"("virt":"0xffff8000a0000000","size":8,"status":"it is valid","accepted":true},)");
    kmd::test::make_file(path + ".json", sidecar);
    const auto json = nlohmann::json::parse(kmdump_command({"cpus", "--json", path}).out);
    EXPECT_EQ(json["cpus"][1]["state"], "panicked");
    EXPECT_EQ(json["cpus"][2]["state"], "offline");
}

TEST(Cpus, ShowTheCallerOfAFunctionWithoutAFrame)
{
    CoreMaker maker = panicked_cpus();
    // At panic+0x10, and its record says somebody else than x30 does.
    maker.prstatus[1] = kmdump_test::prstatus(kText + 0x110, kStack, kText + 0x50);
    const TemporaryFile file(maker.make());
    EXPECT_TRUE(kmdump_command({"cpus", file.path()})
                    .out.ends_with("    ffff800080100110  panic+0x10/0x200\n"
                                   "    ffff800080100050  _text+0x50/0x100, the caller if lr is still valid\n"
                                   "    ffff800080100320  sysrq_handle_crash+0x20/0x100\n"));
}

TEST(Cpus, SayWhereATracerReplacedTheCaller)
{
    kmdump_test::KallsymsMaker kallsyms;
    kallsyms.symbols = {{kText, "_text"},
                        {kText + 0x100, "panic"},
                        {kText + 0x318, "ftrace_stub_graph"},
                        {kText + 0x320, "return_to_handler"},
                        {kText + 0x400, "_end"}};
    CoreMaker maker = panicked_cpus();
    *maker.vmcoreinfo = RingMaker::vmcoreinfo() + kallsyms.vmcoreinfo();
    maker.memory[2] = kallsyms.make();
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"cpus", file.path()});
    EXPECT_TRUE(result.out.ends_with(
        "    ffff800080100320  return_to_handler, which a tracer put in place of the caller\n"))
        << result.out;
}

TEST(Cpus, SayThatThereAreNoSymbols)
{
    CoreMaker maker = panicked_cpus();
    maker.vmcoreinfo = RingMaker::vmcoreinfo();
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"cpus", file.path()});
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.out.ends_with(
        "\nno symbols: expected SYMBOL(kallsyms_names) in the VMCOREINFO note, found none: the kernel has no "
        "CONFIG_KALLSYMS; --vmlinux FILE is another source\n"))
        << result.out;
    const auto wrong = kmdump_command({"cpus", file.path(), "--vmlinux", "/nowhere"});
    EXPECT_EQ(wrong.status, 1);
    EXPECT_EQ(wrong.err,
              "kmdump: " + file.path() + ": /nowhere: cannot be opened: No such file or directory\n");
}

TEST(Cpus, TakesSymbolsOfAVmlinux)
{
    // A program with a symbol table does as well; its code is far from the addresses in the dump.
    const TemporaryFile file(panicked_cpus().make());
    const auto result = kmdump_command({"cpus", "--json", file.path(), "--vmlinux", "/proc/self/exe"});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["symbols"], "vmlinux");
    EXPECT_TRUE(json["cpus"][1]["pc"]["symbol"].is_null());
}

TEST(Cpus, RefuseAVmlinuxOfAnotherKernel)
{
    CoreMaker maker = panicked_cpus();
    *maker.vmcoreinfo += "BUILD-ID=00ff\n";
    const TemporaryFile file(maker.make());
    const auto result = kmdump_command({"cpus", file.path(), "--vmlinux", "/proc/self/exe"});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(
        result.err.find("expected the vmlinux file of the dump's kernel, with the build id 00ff, found one "
                        "with "),
        std::string::npos)
        << result.err;
}

TEST(Cpus, RefuseAVmlinuxOfAnotherReleaseWhenThereIsNoBuildIdToCompare)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto cpus_with = [&file](const std::string& release) {
        // In two pieces: this program is the vmlinux of another test, and must not have a banner.
        const std::string banner = std::string("Linux") + " version " + release + " (builder)";
        CoreMaker maker;
        maker.memory = {{0x1000, 0x1000, kmdump_test::Bytes(64)}};
        std::memcpy(maker.memory[0].bytes.data(), banner.data(), banner.size());
        const TemporaryFile vmlinux(maker.make());
        return kmdump_command({"cpus", file.path(), "--vmlinux", vmlinux.path()});
    };
    const auto other = cpus_with("6.12.0-other");
    EXPECT_EQ(other.status, 1);
    EXPECT_EQ(other.out, "");
    EXPECT_NE(other.err.find(
                  "expected the vmlinux file of the dump's kernel, 6.12.0-test, found one of 6.12.0-other"),
              std::string::npos)
        << other.err;
    EXPECT_EQ(cpus_with("6.12.0-test").status, 0);
}

/// An ELF file with one symbol, in a section without code.
kmdump_test::Bytes file_with_a_symbol_of_data()
{
    constexpr char names[] = "\0.types\0type_id";
    constexpr std::size_t kSymbols = 128, kNames = 192, kSections = 256;
    kmdump_test::Bytes file(kSections + 4 * sizeof(Elf64_Shdr));
    const auto store = [&file](std::size_t at, const auto& value) {
        std::memcpy(file.data() + at, &value, sizeof(value));
    };
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG "\2\1\1", 7);
    head.e_type = ET_EXEC;
    head.e_machine = EM_AARCH64;
    head.e_version = EV_CURRENT;
    head.e_ehsize = sizeof(head);
    head.e_shoff = kSections;
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shnum = 4;
    head.e_shstrndx = 3;
    store(0, head);
    Elf64_Sym symbol{};
    symbol.st_name = 8;
    symbol.st_info = ELF64_ST_INFO(STB_LOCAL, STT_OBJECT);
    symbol.st_shndx = 1;
    symbol.st_value = kText;
    store(kSymbols + sizeof(Elf64_Sym), symbol);
    std::memcpy(file.data() + kNames, names, sizeof(names));
    const auto section = [&store](std::size_t number, Elf64_Shdr header) {
        store(kSections + number * sizeof(Elf64_Shdr), header);
    };
    section(
        1,
        {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = kText, .sh_addralign = 1});
    section(2, {.sh_type = SHT_SYMTAB,
                .sh_offset = kSymbols,
                .sh_size = 2 * sizeof(Elf64_Sym),
                .sh_link = 3,
                .sh_info = 2,
                .sh_addralign = 8,
                .sh_entsize = sizeof(Elf64_Sym)});
    section(3, {.sh_type = SHT_STRTAB, .sh_offset = kNames, .sh_size = sizeof(names), .sh_addralign = 1});
    return file;
}

TEST(Cpus, KeepTheDumpsOwnNamesWithAFileThatHasNone)
{
    const TemporaryFile file(panicked_cpus().make());
    const TemporaryFile no_symbols(CoreMaker().make());
    // The vmlinux of Debian's headers has types, and symbols of those alone.
    const TemporaryFile symbols_of_data(file_with_a_symbol_of_data());
    for (const TemporaryFile* vmlinux : {&no_symbols, &symbols_of_data}) {
        const auto result = kmdump_command({"cpus", "--json", file.path(), "--vmlinux", vmlinux->path()});
        EXPECT_EQ(result.status, 0) << result.err;
        const auto json = nlohmann::json::parse(result.out);
        EXPECT_EQ(json["symbols"], "kallsyms");
        EXPECT_EQ(json["cpus"][1]["pc"]["symbol"], "panic+0x10/0x200");
    }
}

TEST(Json, OfEveryReaderBeginsWithTheSameMembers)
{
    const TemporaryFile file(panicked_cpus().make());
    for (const std::string command : {"info", "regions", "log", "cpus", "verify", "diff"}) {
        std::vector<std::string> arguments = {command, "--json", file.path()};
        if (command == "diff") {
            arguments.push_back(file.path());
        }
        const auto result = kmdump_command(arguments);
        EXPECT_EQ(result.status, 0) << result.err;
        const auto json = nlohmann::json::parse(result.out);
        EXPECT_EQ(json["kmdump"], 1) << command;
        EXPECT_EQ(json["command"], command);
        EXPECT_EQ(json["dump"], file.path()) << command;
        EXPECT_GT(json.size(), 3u) << command;
    }
}

TEST(Json, IsAskedForBeforeOrBehindTheCommand)
{
    const TemporaryFile file(panicked_cpus().make());
    for (const std::string command : {"info", "regions", "log", "cpus", "verify"}) {
        const auto before = kmdump_command({"--json", command, file.path()});
        EXPECT_EQ(before.status, 0) << before.err;
        EXPECT_EQ(before.out, kmdump_command({command, "--json", file.path()}).out) << command;
    }
    EXPECT_EQ(kmdump_command({"--json"}).status, 2);
}

TEST(Json, OfCpusHasTheBacktrace)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto json = nlohmann::json::parse(kmdump_command({"cpus", "--json", file.path()}).out);
    EXPECT_EQ(json["symbols"], "kallsyms");
    ASSERT_EQ(json["cpus"].size(), 2u);
    const auto& cpu = json["cpus"][1];
    EXPECT_EQ(cpu["panicked"], true);
    EXPECT_EQ(cpu["pc"]["address"], "0xffff800080100110");
    EXPECT_EQ(cpu["x"].size(), 31u);
    ASSERT_EQ(cpu["backtrace"].size(), 2u);
    EXPECT_EQ(cpu["backtrace"][1]["symbol"], "sysrq_handle_crash+0x20/0x100");
    EXPECT_EQ(cpu["backtrace_cut"], nullptr);
    EXPECT_EQ(json["cpus"][0]["in_kernel"], false);
}

TEST(Regions, AreATable)
{
    const kmd::test::TempDir folder;
    const std::string path = folder / "x.elf";
    const auto bytes = panicked_guest().core().make();
    kmd::test::make_file(path, text_of(bytes));
    const auto without = kmdump_command({"regions", path});
    EXPECT_EQ(without.status, 0);
    EXPECT_TRUE(without.out.ends_with("\nno names: there is no sidecar " + path + ".json\n")) << without.out;

    kmd::test::make_file(path + ".json", kmdump_test::sidecar_text(bytes.size()));
    const auto with = kmdump_command({"regions", path});
    EXPECT_EQ(with.status, 0);
    std::istringstream lines(with.out);
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "  physical             virtual  bytes  in the file  id  kind    name");
    std::getline(lines, line);
    EXPECT_EQ(line.find("0x40000000  0xffff000000000000"), 0u) << with.out;
    std::getline(lines, line);
    char offset[32];
    std::snprintf(offset, sizeof(offset), "%#zx", bytes.size() - 0x200 + 0x10);
    EXPECT_EQ(line,
              "0x40200010  0xffff800080000010      8       " + std::string(offset) + "  24  memory  prb");
}

TEST(Verify, TellsSoundFromDamagedByItsStatus)
{
    const TemporaryFile sound(panicked_guest().core().make());
    const auto good = kmdump_command({"verify", sound.path()});
    EXPECT_EQ(good.status, 0);
    EXPECT_EQ(good.out, "sound: 2 segments, 4 notes, no sidecar\n");

    CoreMaker maker = panicked_guest().core();
    maker.flags = 1;
    const TemporaryFile incomplete(maker.make());
    const auto bad = kmdump_command({"verify", incomplete.path()});
    EXPECT_EQ(bad.status, 1);
    EXPECT_EQ(bad.out, "error: the file is marked incomplete: the host could not write everything\n");
    EXPECT_EQ(bad.err, "");
    const auto json = nlohmann::json::parse(kmdump_command({"verify", "--json", incomplete.path()}).out);
    EXPECT_EQ(json["sound"], false);
    EXPECT_EQ(json["findings"][0]["error"], true);
}

TEST(Diff, PrintsWhatDiffersAndSaysSoByItsStatus)
{
    CoreMaker maker = panicked_guest().core();
    const TemporaryFile a(maker.make());
    EXPECT_EQ(kmdump_command({"diff", a.path(), a.path()}).status, 0);
    EXPECT_EQ(kmdump_command({"diff", a.path(), a.path()}).out, "");
    kmdump_test::put(maker.memory[1].bytes, 0x180, 0xffffffff, 4);
    maker.memory.push_back({0x1000, 0x1000, kmdump_test::Bytes(16)});
    const TemporaryFile b(maker.make());
    const auto result = kmdump_command({"diff", a.path(), b.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.out, "only in " + b.path() + ": memory at 0x1000, 16 bytes\n" +
                              "memory at 0x40200000: 4 of 512 bytes differ\n  +0x180, 4 bytes\n");
    const TemporaryFile foreign(std::string_view("hello\n"));
    EXPECT_EQ(kmdump_command({"diff", a.path(), foreign.path()}).err,
              "kmdump: " + a.path() + ": compared with " + foreign.path() +
                  ": expected an ELF core image, found something else\n");
}

TEST(Colour, IsForTerminalsAlone)
{
    CoreMaker maker = panicked_cpus();
    maker.flags = 1;
    const TemporaryFile file(maker.make());
    for (const std::string command : {"info", "regions", "cpus", "verify"}) {
        EXPECT_EQ(kmdump_command({command, file.path()}).out.find('\x1b'), std::string::npos) << command;
        EXPECT_NE(kmdump_command({command, file.path()}, kmdump::Style(true)).out.find("\x1b["),
                  std::string::npos)
            << command;
        EXPECT_EQ(kmdump_command({command, "--json", file.path()}, kmdump::Style(true)).out.find('\x1b'),
                  std::string::npos)
            << command;
    }
}

TEST(Errors, AreOneSentenceWithTheFile)
{
    const TemporaryFile foreign(std::string_view("hello\n"));
    CoreMaker silent;
    silent.memory = {{0x1000, 0x1000, kmdump_test::Bytes(8)}};
    const TemporaryFile without_note(silent.make());
    for (const auto command : {"info", "regions", "log", "cpus", "verify"}) {
        const auto wrong = kmdump_command({command, foreign.path()});
        EXPECT_EQ(wrong.status, 1);
        EXPECT_EQ(wrong.out, "");
        EXPECT_EQ(wrong.err,
                  "kmdump: " + foreign.path() + ": expected an ELF core image, found something else\n");
    }
    for (const auto command : {"info", "log", "cpus"}) {
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

/// Four tasks, of which one runs, one sleeps, and one cannot be killed; and functions with names.
CoreMaker guest_with_tasks()
{
    TaskMaker tasks = TaskMaker::usual();
    tasks.put_at(1, TaskMaker::kOnCpu, 1, 4);
    tasks.put_at(1, 0, 1, 4);
    tasks.put_at(3, TaskMaker::kState, 2, 4);
    tasks.put_at(3, TaskMaker::kSe + TaskMaker::kRunTime, 61'250'999'999);
    tasks.put_at(3, TaskMaker::kThread + 96, kText + 0x320); // cpu_context.pc
    tasks.put_at(3, TaskMaker::kThread + 80, kStack + 32);   // cpu_context.fp
    CoreMaker maker = panicked_cpus();
    maker.layout = tasks.core().layout;
    maker.memory.push_back({TaskMaker::kBase, 0x44000000, tasks.core().memory[0].bytes});
    return maker;
}

TEST(TasksCommand, ListsThemAsPsDoes)
{
    const TemporaryFile file(guest_with_tasks().make());
    const auto result = kmdump_command({"tasks", file.path()});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out,
              "PID  process  state  CPU  time, s  name              waits in\n"
              "  0        0  S             0.000  swapper/0\n"
              "  1        1  R        1    0.000  init\n"
              "  7        1  S             0.000  init's thread\n"
              "  9        9  D            61.250  <img src=x>&sixt  sysrq_handle_crash+0x20/0x100\n");
}

TEST(TasksCommand, ShowsStacksIfAsked)
{
    const TemporaryFile file(guest_with_tasks().make());
    const auto result = kmdump_command({"tasks", "--stack", file.path()});
    EXPECT_TRUE(result.out.ends_with("\n9  <img src=x>&sixt\n"
                                     "  ffff800080100320  sysrq_handle_crash+0x20/0x100\n"))
        << result.out;
    const auto json = nlohmann::json::parse(kmdump_command({"tasks", "--stack", "--json", file.path()}).out);
    EXPECT_EQ(json["cut"], nullptr);
    ASSERT_EQ(json["tasks"].size(), 4u);
    EXPECT_EQ(json["tasks"][1]["cpu"], 1);
    EXPECT_EQ(json["tasks"][1]["waits_in"], nullptr);
    EXPECT_EQ(json["tasks"][3]["state"], "D");
    EXPECT_EQ(json["tasks"][3]["run_time_ns"], 61'250'999'999);
    EXPECT_EQ(json["tasks"][3]["waits_in"], "sysrq_handle_crash+0x20/0x100");
    EXPECT_EQ(json["tasks"][3]["backtrace"][0]["address"], "0xffff800080100320");
}

TEST(TasksCommand, SaysWhatItNeeds)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto result = kmdump_command({"tasks", file.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("give the kernel's vmlinux file with --vmlinux"), std::string::npos)
        << result.err;

    CoreMaker broken = guest_with_tasks();
    kmdump_test::put(broken.memory.back().bytes, 0x200 + TaskMaker::kTasks, 0x1234, 8);
    const TemporaryFile cut(broken.make());
    EXPECT_NE(
        kmdump_command({"tasks", cut.path()}).out.find("there may be more tasks: a task is not in the dump"),
        std::string::npos);
}

TEST(BtCommand, ShowsATaskOrACpu)
{
    const TemporaryFile file(guest_with_tasks().make());
    EXPECT_EQ(kmdump_command({"bt", file.path(), "9"}).out,
              "task 9, <img src=x>&sixt, state D\n  ffff800080100320  sysrq_handle_crash+0x20/0x100\n");
    const std::string cpu = kmdump_command({"bt", file.path(), "cpu1"}).out;
    EXPECT_TRUE(cpu.starts_with("CPU 1, panicked\n  ffff800080100110  panic+0x10/0x200\n")) << cpu;
    const std::string running = kmdump_command({"bt", file.path(), "1"}).out;
    EXPECT_EQ(running.substr(running.find('\n')), cpu.substr(cpu.find('\n')))
        << "a task that runs has no stack of its own";
    EXPECT_TRUE(running.starts_with("task 1, init, on CPU 1\n")) << running;
    EXPECT_EQ(kmdump_command({"bt", file.path(), "7"}).out,
              "task 7, init's thread, state S\n  (the dump has no backtrace of it)\n");
    const auto json = nlohmann::json::parse(kmdump_command({"bt", "--json", file.path(), "cpu1"}).out);
    ASSERT_EQ(json["backtraces"].size(), 1u);
    EXPECT_EQ(json["backtraces"][0]["cpu"], 1);
    EXPECT_EQ(json["backtraces"][0]["backtrace"][0]["symbol"], "panic+0x10/0x200");
}

TEST(BtCommand, RefusesWhatIsNeitherTaskNorCpu)
{
    const TemporaryFile file(guest_with_tasks().make());
    for (const char* const wrong : {"init", "cpu", "cpu-1", "-1", "1x", "99999999999999999999"}) {
        const auto result = kmdump_command({"bt", file.path(), wrong});
        EXPECT_EQ(result.status, 2) << wrong;
    }
    EXPECT_NE(kmdump_command({"bt", file.path(), "init"})
                  .err.find("expected a PID, or a CPU such as cpu0, found init"),
              std::string::npos);
    EXPECT_NE(kmdump_command({"bt", file.path(), "8"}).err.find("expected a task with the PID 8, found none"),
              std::string::npos);
    EXPECT_NE(kmdump_command({"bt", file.path(), "cpu2"}).err.find("expected a CPU from 0 to 1, found 2"),
              std::string::npos);
}

TEST(MemoryCommand, ShowsBytesAndWhatIsMissing)
{
    CoreMaker maker = panicked_cpus();
    kmdump_test::Bytes bytes(20);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>('a' + i);
    }
    maker.memory.push_back({kText + 0x100, 0x45000000, bytes});
    const TemporaryFile file(maker.make());
    const std::string expected =
        "ffff800080100104  65 66 67 68 69 6a 6b 6c  6d 6e 6f 70 71 72 73 74  |efghijklmnopqrst|\n"
        "ffff800080100114  -- -- -- --                                       |    |\n";
    EXPECT_EQ(kmdump_command({"memory", file.path(), "0xffff800080100104", "--length", "20"}).out, expected);
    EXPECT_EQ(kmdump_command({"memory", file.path(), "panic+4", "--length", "20"}).out, expected);
    EXPECT_EQ(kmdump_command({"memory", file.path(), "panic+0x4", "--length", "20"}).out, expected);
    const std::string physical =
        kmdump_command({"memory", "--physical", file.path(), "0x45000004", "--length", "20"}).out;
    EXPECT_EQ(physical.substr(16, 62), expected.substr(16, 62));
    const auto json = nlohmann::json::parse(
        kmdump_command({"memory", "--json", file.path(), "panic+4", "--length", "20"}).out);
    EXPECT_EQ(json["address"], "0xffff800080100104");
    EXPECT_EQ(json["lines"][1]["hex"], "--------");
}

TEST(MemoryCommand, SaysWhatItExpected)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto error_of = [&file](const char* where) {
        const auto result = kmdump_command({"memory", file.path(), where});
        EXPECT_EQ(result.status, 1);
        EXPECT_EQ(result.out, "");
        return result.err;
    };
    EXPECT_NE(error_of("0x1234").find("the dump has no memory at 0x1234"), std::string::npos);
    EXPECT_NE(error_of("jiffies").find("or a symbol of the kernel, found 'jiffies'"), std::string::npos);
    EXPECT_NE(error_of("0x12zz").find("found '0x12zz'"), std::string::npos);
    EXPECT_NE(error_of("panic+x").find("expected a number of bytes after '+' in 'panic+x'"),
              std::string::npos);
    EXPECT_EQ(kmdump_command({"memory", file.path(), "panic", "--length", "0"}).status, 2);
    EXPECT_EQ(kmdump_command({"memory", file.path(), "panic", "--length", "1048577"}).status, 2);
    EXPECT_NE(kmdump_command({"memory", "--physical", file.path(), "panic"})
                  .err.find("expected a physical address"),
              std::string::npos);
    EXPECT_NE(error_of("0xffffffffffffffff").find("the dump has no memory at"), std::string::npos);
}

/// A guest with tasks. `beside`: its types are not in the dump.
CoreMaker guest_with_types(bool beside = false)
{
    TaskMaker tasks = TaskMaker::usual();
    tasks.put_at(5, 0x100, 41, 4);
    tasks.put_at(5, 0x110, 0x10, 8);
    CoreMaker maker = tasks.core();
    *maker.vmcoreinfo += "BUILD-ID=0123456789abcdef\n";
    const auto types = types_of_tasks();
    kmdump_test::describe_types(maker, types, TaskMaker::at(5) + 0xf0, TaskMaker::at(5) + 0x110);
    if (!beside) {
        maker.memory.push_back({kmdump_test::kTypesAt, 0x48000000, types});
    }
    return maker;
}

class PrintCommand : public testing::Test
{
  protected:
    Outcome print(const std::vector<std::string>& arguments) const
    {
        std::vector<std::string> all = {"print", file.path()};
        all.insert(all.end(), arguments.begin(), arguments.end());
        return kmdump_command(all);
    }

    const TemporaryFile file{guest_with_types().make()};
};

TEST_F(PrintCommand, ShowsAVariableByItsType)
{
    EXPECT_EQ(print({"init_task.comm"}).out, "init_task.comm = (char[16]) \"swapper/0\"\n");
    EXPECT_EQ(print({"0xffff000010000200.pid", "--type", "struct task_struct"}).out,
              "0xffff000010000200.pid = (int) 1\n");
    EXPECT_EQ(print({"init_task.tasks"}).out, "init_task.tasks = (struct list_head) {\n"
                                              "    .next = 0xffff000010000210,\n"
                                              "    .prev = 0xffff000010000610,\n"
                                              "}\n");
    EXPECT_EQ(print({"init_task.tasks->next->prev"}).out,
              "init_task.tasks->next->prev = (struct list_head *) 0xffff000010000010\n");
    EXPECT_EQ(print({"*init_task.tasks.next"}).out, "*init_task.tasks.next = (struct list_head) {\n"
                                                    "    .next = 0xffff000010000610,\n"
                                                    "    .prev = 0xffff000010000010,\n"
                                                    "}\n");
    EXPECT_EQ(print({"counter", "--cpu", "0"}).out, "counter = (int) 41\n");
    EXPECT_NE(print({"init_task"}).out.find("\n    .comm = \"swapper/0\",\n"), std::string::npos);
}

TEST_F(PrintCommand, WritesJson)
{
    const auto json = nlohmann::json::parse(print({"init_task", "--json"}).out);
    EXPECT_EQ(json["type"], "struct task_struct");
    EXPECT_EQ(json["address"], "0xffff000010000000");
    EXPECT_EQ(json["types"], "dump");
    EXPECT_EQ(json["contents"]["comm"], "swapper/0");
    EXPECT_EQ(json["contents"]["pid"], 0);
    EXPECT_EQ(json["contents"]["tasks"]["next"], "0xffff000010000210");
}

TEST_F(PrintCommand, SaysWhichStepFailed)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"init_task.tasks.nxt"}, "'struct list_head', the type of init_task.tasks, has no member 'nxt'"},
        {{"init_task.pid.x"}, "'int', the type of init_task.pid, has no member 'x'"},
        {{"*init_task.pid"}, "init_task.pid is not a pointer: it is 'int'"},
        {{"init_task.pid[0]"}, "init_task.pid has no elements: it is 'int'"},
        {{"init_task.comm[16]"}, "init_task.comm has elements 0 to 15: there is no 16"},
        {{"nosuch"}, "or a symbol of the kernel, found 'nosuch'"},
        {{"0xffff000010000000"}, "the type of '0xffff000010000000' is not known: name it with --type"},
        {{"init_task", "--type", "nosuch"}, "the kernel has no type 'nosuch'"},
        {{"counter"}, "each CPU has its own 'counter': choose one with --cpu"},
        {{"counter", "--cpu", "8192"}, "the dump does not say where the variables of CPU 8192 are"},
        {{"0x1000.next", "--type", "list_head *"}, "the dump does not have 0x1000, which is at 0x1000"}};
    for (const auto& [arguments, message] : cases) {
        const auto result = print(arguments);
        EXPECT_EQ(result.status, 1);
        EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
    }
    EXPECT_EQ(print({"a+b"}).status, 2);
}

TEST(PrintOfAHostileType, PutsNothingButTextOnATerminal)
{
    kmd::test::BtfMaker btf;
    const auto number = btf.type("\x1b[31mint", 1, 0, 4, {32});
    btf.structure("task_struct", 0x200, {{"pid", number, TaskMaker::kPid}});
    CoreMaker maker = guest_with_types();
    maker.memory.back().bytes = btf.make();
    maker.memory.back().bytes.resize(types_of_tasks().size());
    const TemporaryFile file(maker.make());
    for (const char* value :
         {"init_task.pid", "init_task.pid.x", "init_task.pid[1]", "*init_task.pid", "init_task"}) {
        const auto result = kmdump_command({"print", file.path(), value});
        EXPECT_TRUE(kmdump_test::is_plain_text(result.out + result.err)) << value;
    }
}

TEST(TypesOfADump, AreInTheFileThatItsSidecarNames)
{
    const kmd::test::TempDir folder;
    const std::string path = folder / "dump.elf";
    const auto write = [](const std::string& name, const std::string& text) {
        std::ofstream(name, std::ios::binary) << text;
    };
    const auto error = [&] { return kmdump_command({"print", path, "init_task.pid"}).err; };
    const std::string dump = text_of(guest_with_types(true).make());
    write(path, dump);
    EXPECT_NE(error().find("the dump has no types of its kernel: give the kernel's vmlinux"),
              std::string::npos);

    const auto write_sidecar = [&](const std::string& name) {
        std::string text = kmdump_test::sidecar_text(dump.size());
        text.insert(1, R"("types_file":")" + name + R"(",)");
        write(path + ".json", text);
    };
    write_sidecar("../0123456789abcdef.btf");
    EXPECT_NE(error().find("the sidecar names '../0123456789abcdef.btf' as the types"), std::string::npos);
    write_sidecar("0123456789abcdef.btf");
    EXPECT_NE(error().find("0123456789abcdef.btf: "), std::string::npos);
    write(folder / "0123456789abcdef.btf", text_of(types_of_tasks()));
    EXPECT_EQ(kmdump_command({"print", path, "init_task.pid"}).out, "init_task.pid = (int) 0\n");
    EXPECT_NE(kmdump_command({"info", path}).out.find("types:     in 0123456789abcdef.btf beside it\n"),
              std::string::npos);
}

TEST(TypesCommand, WritesTheTypesAsTheKernelHasThem)
{
    const kmd::test::TempDir folder;
    const TemporaryFile file(guest_with_types().make());
    const std::string path = folder / "types.btf";
    const auto result = kmdump_command({"types", file.path(), "-o", path});
    EXPECT_EQ(result.out,
              path + ": " + std::to_string(types_of_tasks().size()) + " bytes of types, from the dump\n");
    EXPECT_EQ(kmd::test::bytes_of(path), types_of_tasks());
    EXPECT_EQ(kmdump_command({"types", file.path()}).status, 2) << "without -o";
}

TEST(ModulesCommand, NeedsTheListOfModules)
{
    const TemporaryFile file(panicked_cpus().make());
    const auto result = kmdump_command({"modules", file.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("no modules: the dump does not say where the list of modules"),
              std::string::npos);
}

} // namespace
