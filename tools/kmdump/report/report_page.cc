// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/report.h"

#include "common/text.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/report/html.h"
#include "kmdump/report/memory_section.h"
#include "kmdump/report/page_style.h"
#include "kmdump/report/page_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace kmdump
{

namespace
{

/// Blocks scripts, images and forms, in case text from the guest got into the markup.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

// ---- head and facts ----

void write_fact(const char* name, const std::string& guest_text, std::ostream& out)
{
    if (!guest_text.empty()) {
        out << "<div><dt>" << name << "</dt><dd>" << html(guest_text) << "</dd></div>\n";
    }
}

std::string panic_of(const Report& report)
{
    return report.log ? std::string(find_panic_line(report.log.value().records).value_or("")) : "";
}

std::string kernel_of(const Report& report)
{
    return "Linux " + std::string(report.vmcoreinfo.text("OSRELEASE").value_or("of unknown release"));
}

void write_head(const Report& report, std::ostream& out)
{
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        << "<meta http-equiv=\"Content-Security-Policy\" content=\"" << kPolicy << "\">\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        << "<meta name=\"referrer\" content=\"no-referrer\">\n"
        << "<title>" << html(kernel_of(report)) << ": " << html(report.file) << "</title>\n<style>"
        << kPageStyle << "</style>\n</head>\n<body>\n<header>\n<h1>" << html(kernel_of(report))
        << "</h1>\n<p class=\"file\">" << html(report.file) << ", " << size_text(report.file_size)
        << "</p>\n";
    const std::string panic = panic_of(report);
    if (!panic.empty()) {
        out << "<p class=\"banner bad\"><code>" << html(panic) << "</code></p>\n";
    } else {
        out << "<p class=\"banner\">"
            << (report.log ? "The log has no panic."
                           : "Whether the kernel panicked is unknown: its log cannot be read.")
            << "</p>\n";
    }
    out << "<nav aria-label=\"Parts\"><a href=\"#memory\">Memory</a><a href=\"#cpus\">CPUs</a>"
        << "<a href=\"#tasks\">Tasks</a><a href=\"#log\">Log</a></nav>\n</header>\n<main>\n";
}

void write_facts(const Report& report, std::ostream& out)
{
    out << "<section id=\"facts\">\n<h2>The dump</h2>\n<dl class=\"facts\">\n";
    if (report.sidecar) {
        write_fact("Reason", report.sidecar->reason, out);
        write_fact("Taken", report.sidecar->time, out);
        write_fact("Result", report.sidecar->result, out);
    }
    if (report.log && !report.log.value().records.empty()) {
        std::string uptime = seconds_text(report.log.value().records.back().time_ns);
        uptime.erase(0, uptime.find_first_not_of(' '));
        write_fact("Uptime at the last log line", uptime + " s", out);
    }
    write_fact("CPUs", std::to_string(report.core.prstatus.size()), out);
    write_fact("RAM, as the kernel counts it", report.ram_bytes ? size_text(*report.ram_bytes) : "", out);
    write_fact("Memory in the dump",
               size_text(report.core.memory_bytes) + " in " + std::to_string(report.core.segments) +
                   " segments",
               out);
    write_fact("Complete", report.core.complete ? "yes" : "no, the host could not write everything", out);
    const auto kaslr = report.vmcoreinfo.symbol("KERNELOFFSET");
    write_fact("KASLR offset", kaslr ? kmd::hex(*kaslr) : "", out);
    write_fact("Host name", report.node_name, out);
    write_fact("Kernel version", report.kernel_version, out);
    write_fact("Build ID", std::string(report.vmcoreinfo.text("BUILD-ID").value_or("")), out);
    write_fact("Symbols from", report.symbols.name, out);
    out << "</dl>\n";
    if (report.sidecar) {
        for (const LeftOut& left_out : report.sidecar->left_out) {
            out << "<p class=\"soft\">Left out: " << html(left_out.what) << "</p>\n";
        }
        for (const std::string& text : report.sidecar->remarks) {
            out << "<p class=\"soft\">" << html(text) << "</p>\n";
        }
    }
    out << "</section>\n";
}

// ---- CPUs and tasks ----

void write_backtrace(const Backtrace& backtrace, const Symbols& symbols, std::ostream& out)
{
    out << "<ol class=\"frames\">\n";
    for (const Frame& frame : backtrace.frames) {
        const auto place = place_of(symbols, frame);
        out << "<li><code>" << (place ? html(*place) : "?") << "</code><code class=\"soft\">"
            << digits(frame.address) << "</code></li>\n";
    }
    out << "</ol>\n";
    if (!backtrace.cut.empty()) {
        out << "<p class=\"soft\">It ends here: " << html(backtrace.cut) << ".</p>\n";
    }
}

void write_register(const std::string& name, std::uint64_t value, std::ostream& out)
{
    out << "<span><b>" << name << std::string(7 - name.size(), ' ') << "</b>" << digits(value) << "</span>\n";
}

void write_cpu(std::size_t number, const CpuState& cpu, const Symbols& symbols, std::ostream& out)
{
    const kmd::CpuRegisters& registers = cpu.registers;
    const auto place = place_of(symbols, {registers.pc, true});
    out << "<details class=\"cpu\"" << (cpu.panicked || number == 0 ? " open" : "") << "><summary>CPU "
        << number << " <span class=\"" << (cpu.panicked ? "tag bad" : "tag") << "\">" << activity_words(cpu)
        << "</span>"
        << " <code>" << (place ? html(*place) : digits(registers.pc)) << "</code></summary>\n";
    write_backtrace(cpu.backtrace, symbols, out);
    out << "<div class=\"registers\">\n";
    write_register("pc", registers.pc, out);
    write_register("sp", registers.sp, out);
    write_register(std::string(registers.state_name), registers.state, out);
    for (std::size_t i = 0; i < registers.general.size(); ++i) {
        write_register(std::string(registers.general_name) + std::to_string(i), registers.general[i], out);
    }
    out << "</div>\n</details>\n";
}

void write_cpus(const Report& report, std::ostream& out)
{
    out << "<section id=\"cpus\">\n<h2>CPUs</h2>\n";
    if (!report.cpus) {
        out << note(report.cpus.error().what);
    } else {
        for (std::size_t i = 0; i < report.cpus.value().size(); ++i) {
            write_cpu(i, report.cpus.value()[i], report.symbols.symbols, out);
        }
    }
    if (report.symbols.missing) {
        out << note("No symbols: " + *report.symbols.missing);
    }
    out << "</section>\n";
}

void write_task(const Task& task, const Symbols& symbols, std::ostream& out)
{
    out << "<tr><td class=\"number\">" << task.pid << "</td><td class=\"number\">" << task.tgid << "</td><td>"
        << task_state_letter(task) << "</td><td>" << (task.cpu ? std::to_string(*task.cpu) : "")
        << "</td><td><code>" << html(task.comm) << "</code></td><td class=\"wide\">";
    if (task.backtrace.frames.empty()) {
        out << (task.cpu ? "runs" : "");
    } else {
        const auto& frames = task.backtrace.frames;
        // The two innermost frames are the scheduler's; their caller is more informative.
        const Frame& shown = frames.size() > 2 ? frames[2] : frames.back();
        const auto place = place_of(symbols, shown);
        out << "<details><summary><code>" << (place ? html(*place) : digits(shown.address))
            << "</code></summary>\n";
        write_backtrace(task.backtrace, symbols, out);
        out << "</details>";
    }
    out << "</td></tr>\n";
}

void write_tasks(const Report& report, std::ostream& out)
{
    out << "<section id=\"tasks\">\n<h2>Tasks</h2>\n";
    if (!report.tasks) {
        out << note("No tasks: " + report.tasks.error().what) << "</section>\n";
        return;
    }
    const TaskList& list = report.tasks.value();
    out << "<p class=\"soft\">" << list.tasks.size() << (list.tasks.size() == 1 ? " task" : " tasks")
        << "</p>\n";
    if (!list.cut.empty()) {
        out << note("There may be more: " + list.cut);
    }
    out << "<div class=\"scroll\"><table>\n<thead><tr><th class=\"number\">PID</th><th "
           "class=\"number\">process</th><th>state</th>"
        << "<th>CPU</th><th>name</th><th>waits in</th></tr></thead>\n<tbody>\n";
    for (const Task& task : list.tasks) {
        write_task(task, report.symbols.symbols, out);
    }
    out << "</tbody></table></div>\n</section>\n";
}

// ---- log ----

struct Level {
    const char* name;
    const char* style;
};

Level level_of(const LogRecord& record)
{
    constexpr std::array<Level, 8> levels = {{{"emerg", "bad-line"},
                                              {"alert", "bad-line"},
                                              {"crit", "bad-line"},
                                              {"err", "bad-line"},
                                              {"warn", "warn-line"},
                                              {"notice", "plain-line"},
                                              {"info", "plain-line"},
                                              {"debug", "debug-line"}}};
    return record.level && *record.level < levels.size() ? levels[*record.level] : Level{"", "plain-line"};
}

void write_log(const Report& report, std::ostream& out)
{
    out << "<section id=\"log\">\n<h2>Log</h2>\n";
    if (!report.log) {
        out << note("No log: " + report.log.error().what) << "</section>\n";
        return;
    }
    const PrintkLog& log = report.log.value();
    if (log.damaged > 0) {
        out << note("Records left out because they are damaged: " + std::to_string(log.damaged));
    }
    out << "<input type=\"radio\" name=\"lines\" id=\"all-lines\" checked> <label class=\"choice\" "
           "for=\"all-lines\">all "
        << log.records.size() << " records</label>\n"
        << "<input type=\"radio\" name=\"lines\" id=\"only-warnings\"> <label class=\"choice\" "
           "for=\"only-warnings\">"
        << "warnings and worse</label>\n<ol class=\"log\">\n";
    for (const LogRecord& record : log.records) {
        const Level level = level_of(record);
        out << "<li class=\"" << level.style << "\"><time>" << seconds_text(record.time_ns) << "</time><b>"
            << level.name << "</b><span>" << html(record.text) << "</span></li>\n";
    }
    out << "</ol>\n</section>\n";
}

} // namespace

void write_page(const Report& report, std::ostream& out)
{
    write_head(report, out);
    write_facts(report, out);
    write_memory_section(report, out);
    write_cpus(report, out);
    write_tasks(report, out);
    write_log(report, out);
    out << "<footer>Made by kmdump report. What the guest said is shown as it is in the dump; \\x.. stands "
           "for a byte that cannot be shown, and \\\\ for a backslash.</footer>\n</main>\n</body>\n</html>\n";
}

} // namespace kmdump
