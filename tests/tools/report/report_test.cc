// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "hostile_report.h"
#include "kmdump/cli/cli.h"
#include "kmdump/kernel/task_layout.h"
#include "kmdump/kernel/tasks.h"
#include "kmdump/report/html.h"
#include "kmdump/report/memory_map.h"
#include "kmdump/report/report.h"
#include "task_maker.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

/// In the debug information of this program; see StructLayout.
struct KmdumpLayoutProbe {
    char first;
    union {
        int in_union;
        struct {
            short pad;
            short in_struct;
        };
    };
    std::uint64_t last;
};

namespace
{

using kmdump::Content;
using kmdump::DrawnRange;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::RingMaker;
using kmdump_test::TaskMaker;
using kmdump_test::TemporaryFile;

TEST(Report, TakesARegionForTheSizeOfRamOnlyInTheSeriesThatItsNumberIsOf)
{
    EXPECT_EQ(kmdump::total_ram_id("kmemdump"), 5u);
    EXPECT_EQ(kmdump::total_ram_id("meminspect"), 4u) << "5 is a mask of CPUs there";
    EXPECT_EQ(kmdump::total_ram_id("unknown"), std::nullopt);
}

TEST(Html, LeavesNothingThatMeansSomethingToABrowser)
{
    EXPECT_EQ(kmdump::html("<b a=\"1\" c='2'>&amp;</b>"),
              "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;");
    // NOLINTNEXTLINE(misc-misleading-bidirectional): must come out escaped
    EXPECT_EQ(kmdump::html("two\nlines \x1b[2J\xe2\x80\xae\x80"), "two\nlines \\x1b[2J\\xe2\\x80\\xae\\x80");
    EXPECT_EQ(kmdump::html(std::string_view("\0", 1)), "\\x00");
}

Content piece(std::uint64_t phys, std::uint64_t size)
{
    return {.phys = phys, .virt = phys, .size = size, .file_offset = 0, .kind = "memory"};
}

TEST(Stretches, AreCutAtTheLargestGaps)
{
    const std::vector<Content> contents = {piece(0x40000010, 0x10), piece(0x40200000, 0x1800),
                                           piece(0x48000000, 8), piece(0x60000000, 0x1000)};
    const auto three = kmdump::cut_into_stretches(contents, 3);
    ASSERT_EQ(three.size(), 3u);
    EXPECT_EQ(three[0].range.begin, 0x40000000u);
    EXPECT_EQ(three[0].range.end, 0x40202000u);
    EXPECT_EQ(three[0].contents.size(), 2u);
    EXPECT_EQ(three[1].range.begin, 0x48000000u);
    EXPECT_EQ(three[2].range.end, 0x60001000u);
    EXPECT_EQ(kmdump::cut_into_stretches(contents, 8).size(), 4u);
    EXPECT_EQ(kmdump::cut_into_stretches(contents, 1).size(), 1u);
    const DrawnRange all = kmdump::overview_of(three);
    EXPECT_EQ(all.begin, 0x40000000u);
    EXPECT_GE(all.end, 0x60001000u);
    EXPECT_LT(all.size(), 0x28000000u);
}

TEST(Stretches, StayTogetherAcrossSmallGapsAndOverlaps)
{
    const std::vector<Content> contents = {piece(0x1000, 0x9000), piece(0x2000, 0x10), piece(0xb000, 0x10)};
    const auto one = kmdump::cut_into_stretches(contents, 8);
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].range.end, 0xc000u);
}

TEST(Stretches, LeaveOutWhatIsNotInTheDumpAndSurviveTheEndOfTheAddresses)
{
    std::vector<Content> contents = {piece(0x1000, 0x10), piece(0xffffffffffffff00, 0x100)};
    EXPECT_EQ(kmdump::cut_into_stretches(contents, 8).size(), 2u);
    EXPECT_GT(kmdump::overview_of(kmdump::cut_into_stretches(contents, 8)).size(), 0u);
    contents[0].file_offset.reset();
    EXPECT_EQ(kmdump::cut_into_stretches(contents, 8).size(), 1u);
    EXPECT_TRUE(kmdump::cut_into_stretches({}, 8).empty());
    EXPECT_EQ(kmdump::overview_of({}).size(), 0u);
}

TEST(StructLayout, IsReadOutOfDebugInformation)
{
    const KmdumpLayoutProbe probe{};
    const auto offsets = kmdump::read_member_offsets("/proc/self/exe",
                                                     {{"KmdumpLayoutProbe", "first"},
                                                      {"KmdumpLayoutProbe", "in_union"},
                                                      {"KmdumpLayoutProbe", "in_struct"},
                                                      {"KmdumpLayoutProbe", "last"},
                                                      {"KmdumpLayoutProbe", "missing"},
                                                      {"NoSuchStructure", "first"}},
                                                     kmd::Vmcoreinfo(""));
    ASSERT_TRUE(offsets) << offsets.error().what;
    const auto distance = [&](const auto& member) {
        return static_cast<std::uint64_t>(reinterpret_cast<const char*>(&member) -
                                          reinterpret_cast<const char*>(&probe));
    };
    EXPECT_EQ(offsets.value(),
              (kmdump::MemberOffsets{{{"KmdumpLayoutProbe", "first"}, 0},
                                     {{"KmdumpLayoutProbe", "in_union"}, distance(probe.in_union)},
                                     {{"KmdumpLayoutProbe", "in_struct"}, distance(probe.in_struct)},
                                     {{"KmdumpLayoutProbe", "last"}, distance(probe.last)}}));
}

TEST(StructLayout, OfAnotherKernelIsRefused)
{
    const auto other = kmdump::read_member_offsets("/proc/self/exe", {{"KmdumpLayoutProbe", "last"}},
                                                   kmd::Vmcoreinfo("BUILD-ID=00ff\n"));
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().what.find("with the build id 00ff"), std::string::npos) << other.error().what;
    const TemporaryFile text(std::string_view("hello\n"));
    EXPECT_FALSE(kmdump::read_member_offsets(text.path(), {}, kmd::Vmcoreinfo("")));
    const TemporaryFile core(CoreMaker().make());
    EXPECT_EQ(
        kmdump::read_member_offsets(core.path(), {{"task_struct", "pid"}}, kmd::Vmcoreinfo("")).error().what,
        "expected a vmlinux file with type information (BTF or DWARF), found none");
}

kmd::Result<kmdump::TaskList>
tasks_of(const TaskMaker& maker,
         const kmdump::Symbols& symbols = kmdump::Symbols({{TaskMaker::at(0), "init_task"}}))
{
    CoreMaker core = maker.core();
    const std::size_t symbol = core.layout->find("SYMBOL(init_task)");
    core.layout->erase(symbol, core.layout->find('\n', symbol) + 1 - symbol);
    const TemporaryFile file(core.make());
    const auto dump = kmdump::open_dump(file.path());
    return kmdump::read_tasks(dump.value(), symbols, kmdump::read_task_layout(dump.value()).value());
}

std::vector<std::uint64_t> pids_of(const kmdump::TaskList& list)
{
    std::vector<std::uint64_t> pids;
    for (const auto& task : list.tasks) {
        pids.push_back(task.pid);
    }
    return pids;
}

TEST(Tasks, AreProcessesAndTheirThreads)
{
    auto maker = TaskMaker::usual();
    maker.put_at(1, TaskMaker::kOnCpu, 1, 4);
    maker.put_at(1, 0, 3, 4);
    maker.put_at(3, TaskMaker::kState, 0x402, 4);
    maker.put_at(3, TaskMaker::kOnCpu + 1, 1, 1); // on_rq, since Linux 7
    maker.put_at(3, TaskMaker::kThread + 96, 0xffff800080012345);
    const auto list = tasks_of(maker);
    ASSERT_TRUE(list) << list.error().what;
    EXPECT_EQ(list.value().cut, "");
    EXPECT_EQ(pids_of(list.value()), (std::vector<std::uint64_t>{0, 1, 7, 9}));
    const auto& tasks = list.value().tasks;
    EXPECT_EQ(tasks[1].cpu, 3u);
    EXPECT_EQ(kmdump::task_state_letter(tasks[1]), "R");
    EXPECT_TRUE(tasks[1].backtrace.frames.empty());
    EXPECT_EQ(tasks[2].tgid, 1u);
    EXPECT_EQ(kmdump::task_state_letter(tasks[2]), "S");
    EXPECT_EQ(tasks[3].comm, "<img src=x>&sixt"); // no more than the kernel's 16 bytes
    EXPECT_EQ(kmdump::task_state_letter(tasks[3]), "I");
    ASSERT_FALSE(tasks[3].backtrace.frames.empty());
    EXPECT_EQ(tasks[3].backtrace.frames[0].address, 0xffff800080012345);
}

TEST(Tasks, AreFoundWithoutASymbolByTheNameOfTheFirst)
{
    const auto usual = tasks_of(TaskMaker::usual(), kmdump::Symbols(std::vector<kmdump::Symbol>{}));
    ASSERT_TRUE(usual) << usual.error().what;
    EXPECT_EQ(pids_of(usual.value()), (std::vector<std::uint64_t>{0, 1, 7, 9}));

    // The idle task of another CPU is no member of the list, though its links lead into it.
    TaskMaker maker(4);
    maker.task(0, 0, 0, "swapper/1");
    maker.task(1, 0, 0, "swapper/0");
    maker.task(2, 1, 1, "init");
    maker.ring({{1, TaskMaker::kTasks}, {2, TaskMaker::kTasks}});
    maker.put_at(0, TaskMaker::kTasks, TaskMaker::at(1) + TaskMaker::kTasks);
    maker.put_at(2, TaskMaker::kSignal, TaskMaker::at(3));
    maker.ring({{3, TaskMaker::kHead}, {2, TaskMaker::kNode}});
    const auto list = tasks_of(maker, kmdump::Symbols(std::vector<kmdump::Symbol>{}));
    ASSERT_TRUE(list) << list.error().what;
    ASSERT_EQ(pids_of(list.value()), (std::vector<std::uint64_t>{0, 1}));
    EXPECT_EQ(list.value().tasks[0].comm, "swapper/0");

    EXPECT_EQ(tasks_of(TaskMaker(3), kmdump::Symbols(std::vector<kmdump::Symbol>{})).error().what,
              "expected the symbol init_task, or a task named swapper, found none");
}

TEST(Tasks, NeedNoVmlinuxIfTheDumpDescribesTheKernel)
{
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=test\n";
    maker.layout = "KMD_LAYOUT=1\nSYMBOL(init_task)=ffff800080000000\nOFFSET(task_struct.tasks)=16\n"
                   "OFFSET(task_struct.pid)=1\nOFFSET(task_struct.tgid)=2\nOFFSET(task_struct.comm)=3\n"
                   "OFFSET(task_struct.signal)=4\nOFFSET(task_struct.thread_node)=5\n"
                   "OFFSET(task_struct.thread)=6\nOFFSET(signal_struct.thread_head)=7\n";
    const auto error_of = [&maker] {
        const TemporaryFile file(maker.make());
        const auto dump = kmdump::open_dump(file.path());
        const auto layout = kmdump::read_task_layout(dump.value());
        return layout ? std::to_string(layout.value().at({"task_struct", "tasks"})) : layout.error().what;
    };
    EXPECT_EQ(error_of(), "expected thread_struct.cpu_context in the type information, found none");
    *maker.layout += "OFFSET(thread_struct.cpu_context)=0\n";
    EXPECT_EQ(error_of(), "16");
    maker.layout.reset();
    EXPECT_TRUE(error_of().starts_with("the dump does not say where the members")) << error_of();
}

TEST(Tasks, WaitWhereTheSchedulerWasCalled)
{
    constexpr std::uint64_t text = 0xffff800080010000;
    const kmdump::Symbols symbols({{text, "_text"},
                                   {text + 0x100, "__switch_to"},
                                   {text + 0x200, "__sched_text_start"},
                                   {text + 0x300, "schedule_timeout"},
                                   {text + 0x400, "__sched_text_end"},
                                   {text + 0x500, "do_wait"},
                                   {text + 0x600, "_etext"}});
    kmdump::Task task;
    EXPECT_FALSE(kmdump::waiting_place(task, symbols));
    for (const std::uint64_t offset : {0x110, 0x210, 0x310, 0x400, 0x510}) {
        task.backtrace.frames.push_back({.address = text + offset});
    }
    EXPECT_EQ(kmdump::waiting_place(task, symbols)->address, text + 0x510);
    EXPECT_EQ(kmdump::waiting_place(task, kmdump::Symbols())->address, text + 0x310)
        << "without the names of the section it is the caller of the two innermost";
    task.backtrace.frames.resize(3);
    EXPECT_EQ(kmdump::waiting_place(task, symbols)->address, text + 0x310);
}

TEST(Tasks, HaveTheCpuTimeThatTheyUsed)
{
    auto maker = TaskMaker::usual();
    maker.put_at(3, TaskMaker::kSe + TaskMaker::kRunTime, 1234567890);
    EXPECT_EQ(tasks_of(maker).value().tasks[3].run_time, 1234567890u);
    CoreMaker core = maker.core();
    core.layout->erase(core.layout->find("OFFSET(sched_entity"));
    *core.layout += "OFFSET(task_struct.thread)=128\nOFFSET(signal_struct.thread_head)=24\n"
                    "OFFSET(thread_struct.cpu_context)=0\n";
    const TemporaryFile file(core.make());
    const auto dump = kmdump::open_dump(file.path());
    const auto tasks =
        kmdump::read_tasks(dump.value(), kmdump::Symbols(), kmdump::read_task_layout(dump.value()).value());
    EXPECT_EQ(tasks.value().tasks.at(3).run_time, std::nullopt) << "a kernel without the member";
}

TEST(Tasks, ThatLeadInARingAreCut)
{
    auto maker = TaskMaker::usual();
    maker.put_at(3, TaskMaker::kTasks, TaskMaker::at(1) + TaskMaker::kTasks);
    const auto list = tasks_of(maker);
    ASSERT_TRUE(list);
    EXPECT_EQ(list.value().cut, "the list of tasks leads back into itself");
    EXPECT_EQ(list.value().tasks.size(), 4u);
}

TEST(Tasks, ThatLeadOutOfTheDumpAreCut)
{
    auto maker = TaskMaker::usual();
    maker.put_at(1, TaskMaker::kTasks, 0x1234);
    EXPECT_EQ(tasks_of(maker).value().cut, "a task is not in the dump");
    // What lies behind the gap is found from the other end.
    EXPECT_EQ(pids_of(tasks_of(maker).value()), (std::vector<std::uint64_t>{0, 1, 7, 9}));

    auto without_signal = TaskMaker::usual();
    without_signal.put_at(3, TaskMaker::kSignal, 8);
    EXPECT_EQ(tasks_of(without_signal).value().cut, "a link of the list of tasks is not in the dump");
    EXPECT_EQ(tasks_of(without_signal).value().tasks.size(), 4u);
}

TEST(Tasks, HaveTheLettersOfTheKernel)
{
    const auto letter = [](std::uint64_t state, std::uint64_t exit_state) {
        return kmdump::task_state_letter({.state = state, .exit_state = exit_state});
    };
    EXPECT_EQ(letter(0, 0), "R");
    EXPECT_EQ(letter(0x1, 0), "S");
    EXPECT_EQ(letter(0x2001, 0), "S"); // may be frozen
    EXPECT_EQ(letter(0x2, 0), "D");
    EXPECT_EQ(letter(0x102, 0), "D"); // may be killed
    EXPECT_EQ(letter(0x4, 0), "T");
    EXPECT_EQ(letter(0x8, 0), "t");
    EXPECT_EQ(letter(0x80, 0x20), "Z");
    EXPECT_EQ(letter(0x80, 0x10), "X");
    EXPECT_EQ(letter(0x40, 0), "P");
    EXPECT_EQ(letter(0x402, 0), "I");
    EXPECT_EQ(letter(0x8000, 0), "D"); // frozen
    EXPECT_EQ(letter(0x1000, 0), "D"); // waits for an rtmutex as for a spinlock
}

TEST(Tasks, IncludeTheIdleOnesOfOtherCpus)
{
    auto maker = TaskMaker(8);
    maker.task(0, 0, 0, "swapper/0");
    maker.task(1, 1, 1, "init");
    maker.ring({{0, TaskMaker::kTasks}, {1, TaskMaker::kTasks}});
    maker.put_at(1, TaskMaker::kSignal, TaskMaker::at(2));
    maker.ring({{2, TaskMaker::kHead}, {1, TaskMaker::kNode}});
    maker.task(3, 0, 0, "swapper/1");
    maker.put_at(3, 0, 1, 4);
    maker.task(4, 0, 0, "swapper/5");   // says another CPU than it is of
    maker.task(5, 12, 12, "swapper/2"); // a process by that name
    maker.put_at(5, 0, 2, 4);
    const auto list = tasks_of(maker);
    ASSERT_TRUE(list) << list.error().what;
    ASSERT_EQ(pids_of(list.value()), (std::vector<std::uint64_t>{0, 1, 0}));
    EXPECT_EQ(list.value().tasks[2].comm, "swapper/1");
}

TEST(Tasks, OfAVmlinuxThatDoesNotFitAreNone)
{
    TaskMaker maker(1);
    maker.task(0, 0, 0, "swapper/0");
    maker.ring({{0, TaskMaker::kTasks}});
    ASSERT_FALSE(tasks_of(maker));
    EXPECT_NE(tasks_of(maker).error().what.find("the vmlinux file is of another kernel"), std::string::npos);
}

TEST(Tasks, WithoutAFirstTaskAreNone)
{
    auto maker = TaskMaker::usual();
    maker.task(0, 1, 1, "swapper/0");
    EXPECT_FALSE(tasks_of(maker));
    maker.task(0, 0, 0, "swopper/0");
    ASSERT_FALSE(tasks_of(maker));
    EXPECT_NE(tasks_of(maker).error().what.find("the vmlinux file is of another kernel"), std::string::npos);
}

std::string page_of(const kmdump::Report& report)
{
    std::ostringstream out;
    kmdump::write_page(report, out);
    return out.str();
}

TEST(Page, HasNoElementAndNoAttributeOfTheGuest)
{
    std::string page = page_of(kmdump_test::hostile_report());
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    const auto style = page.find("<style>");
    page.erase(style, page.find("</style>") - style);

    const std::set<std::string> known = {
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body",    "header",  "h1",    "h2",
        "h3",       "p",    "code", "nav",  "a",     "main",  "section", "dl",      "div",   "dt",
        "dd",       "span", "i",    "b",    "svg",   "rect",  "details", "summary", "table", "thead",
        "tbody",    "tr",   "th",   "td",   "ol",    "li",    "time",    "input",   "label", "footer"};
    const std::set<std::string> known_attributes = {"lang",
                                                    "charset",
                                                    "content",
                                                    "name",
                                                    "id",
                                                    "class",
                                                    "href",
                                                    "aria-label",
                                                    "aria-hidden",
                                                    "viewBox",
                                                    "preserveAspectRatio",
                                                    "role",
                                                    "x",
                                                    "y",
                                                    "width",
                                                    "height",
                                                    "open",
                                                    "type",
                                                    "for",
                                                    "checked",
                                                    "http-equiv",
                                                    "html"};
    const std::regex tag(R"re(<(/?)([!A-Za-z0-9]+)((?:\s+[A-Za-z-]+(?:="[^"<>]*")?)*)\s*>)re");
    const std::regex attribute(R"re(\s([A-Za-z-]+)(?:="([^"]*)")?)re");
    std::size_t tags = 0;
    for (std::sregex_iterator it(page.begin(), page.end(), tag), end; it != end; ++it) {
        ++tags;
        EXPECT_TRUE(known.contains((*it)[2])) << (*it)[0];
        const std::string attributes = (*it)[3];
        for (std::sregex_iterator a(attributes.begin(), attributes.end(), attribute); a != end; ++a) {
            EXPECT_TRUE(known_attributes.contains((*a)[1])) << (*it)[0];
            EXPECT_TRUE((*a)[1] != "href" || (*a)[2].str().starts_with("#")) << (*it)[0];
        }
    }
    // Every "<" of the page begins one of those.
    EXPECT_EQ(tags, static_cast<std::size_t>(std::count(page.begin(), page.end(), '<')));
    EXPECT_GT(tags, 100u);
}

struct Outcome {
    int status = 0;
    std::string out;
    std::string err;
};

Outcome report_command(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), {"kmdump", "report"});
    std::ostringstream out;
    std::ostringstream err;
    const int status = kmdump::run(static_cast<int>(arguments.size()), arguments.data(), out, err);
    return {status, out.str(), err.str()};
}

TEST(ReportCommand, SaysWhatIsMissing)
{
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=6.0-<test>\n";
    maker.memory = {{0x1000, 0x1000, Bytes(64)}};
    const TemporaryFile file(maker.make());
    const auto report = report_command({file.path().c_str()});
    EXPECT_EQ(report.status, 0) << report.err;
    EXPECT_NE(report.out.find("<h1>Linux 6.0-&lt;test&gt;</h1>"), std::string::npos);
    for (const char* const part : {"No log: expected SYMBOL(prb)", "No tasks: the dump does not say",
                                   "No symbols: ", "Whether the kernel panicked is unknown"}) {
        EXPECT_NE(report.out.find(part), std::string::npos) << part;
    }
}

TEST(ReportCommand, ShowsPanicLogAndMemory)
{
    RingMaker ring(3, 9);
    ring.write("all is well", 1500000, 6);
    ring.write("Kernel panic - not syncing: <why>", 2000000999, 0);
    const TemporaryFile file(ring.core().make());
    const auto report = report_command({file.path().c_str()});
    EXPECT_EQ(report.status, 0) << report.err;
    EXPECT_NE(
        report.out.find("<p class=\"banner bad\"><code>Kernel panic - not syncing: &lt;why&gt;</code></p>"),
        std::string::npos);
    EXPECT_NE(report.out.find(
                  "<li class=\"plain-line\"><time>    0.001500</time><b>info</b><span>all is well</span>"),
              std::string::npos);
    EXPECT_NE(report.out.find("<rect x=\"0.00\""), std::string::npos);
}

TEST(ReportCommand, WritesItsFileWholeOrNotAtAll)
{
    const TemporaryFile dump(RingMaker(3, 8).core().make());
    std::string folder = std::filesystem::temp_directory_path() / "kmdump-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/page.html";
    EXPECT_EQ(report_command({dump.path().c_str(), "-o", path.c_str()}).status, 0);
    std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    EXPECT_TRUE(content.str().starts_with("<!DOCTYPE html>"));
    EXPECT_TRUE(content.str().ends_with("</html>\n"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);

    const auto nowhere = report_command({dump.path().c_str(), "-o", "/does/not/exist/page.html"});
    EXPECT_EQ(nowhere.status, 1);
    EXPECT_NE(nowhere.err.find("the page cannot be written to /does/not/exist/page.html: No such file"),
              std::string::npos)
        << nowhere.err;
    std::filesystem::remove_all(folder);
}

TEST(ReportCommand, RefusesWhatIsNoDumpAndNoVmlinux)
{
    const TemporaryFile text(std::string_view("hello\n"));
    EXPECT_EQ(report_command({text.path().c_str()}).status, 1);
    const TemporaryFile dump(RingMaker(3, 8).core().make());
    const auto wrong = report_command({dump.path().c_str(), "--vmlinux", text.path().c_str()});
    EXPECT_EQ(wrong.status, 1);
    EXPECT_EQ(wrong.out, "");
    EXPECT_EQ(wrong.err, "kmdump: " + dump.path() + ": " + text.path() +
                             ": expected a vmlinux file, found something that is not ELF\n");
}

} // namespace
