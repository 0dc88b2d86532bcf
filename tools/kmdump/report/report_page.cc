// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/report.h"

#include "common/text.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/report/html.h"
#include "kmdump/report/memory_map.h"
#include "kmdump/report/page_style.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <span>

namespace kmdump
{

namespace
{

/// Of a drawing: units from its left to its right end.
constexpr double kWidth = 10000;
constexpr std::size_t kMostStretches = 8;

/// A script, a picture or a form in the page would do nothing.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

template <class... Arguments> std::string print(const char* format, Arguments... arguments)
{
    std::array<char, 128> text;
    std::snprintf(text.data(), text.size(), format, arguments...);
    return text.data();
}

std::string digits(std::uint64_t value)
{
    return print("%016" PRIx64, value);
}

/// Exact below 1 KiB, otherwise to a tenth.
std::string size_text(std::uint64_t bytes)
{
    constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
    }
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    const std::string number = print("%.1f", value);
    return (number.ends_with(".0") ? number.substr(0, number.size() - 2) : number) + " " + units[unit];
}

std::string seconds_text(std::uint64_t nanoseconds)
{
    return print("%5" PRIu64 ".%06" PRIu64, nanoseconds / 1000000000, nanoseconds / 1000 % 1000000);
}

std::string note(const std::string& sentence)
{
    return "<p class=\"note\">" + html(sentence) + "</p>\n";
}

// ---- the head ----

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
        write_fact("Up, by the last line of the log", uptime + " s", out);
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

// ---- memory ----

const char* colour_of(const Content& content)
{
    if (content.kind == kAdded || content.kind == kListedOrAdded) {
        return "host";
    }
    return content.kind == "memory" ? "region" : "table";
}

std::string name_of(const Content& content)
{
    return content.name.empty() ? content.kind : content.name;
}

/// A rectangle to scale, as far as a hair can be.
std::string rectangle(const DrawnRange& all, std::uint64_t begin, std::uint64_t end, const char* kind)
{
    const double scale = kWidth / static_cast<double>(std::max<std::uint64_t>(all.size(), 1));
    return print("<rect x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"10\" class=\"",
                 static_cast<double>(begin - all.begin) * scale, static_cast<double>(end - begin) * scale) +
           kind + "\">";
}

void write_bar(const DrawnRange& range, const std::vector<const Content*>& contents, const std::string& label,
               std::ostream& out)
{
    out << "<svg class=\"bar\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\""
        << label << "\">\n";
    for (const Content* content : contents) {
        const std::uint64_t end = std::min(range.end, content->phys + content->size);
        out << rectangle(range, content->phys, std::max(end, content->phys), colour_of(*content)) << "<title>"
            << html(name_of(*content)) << ": " << kmd::hex(content->phys) << ", " << size_text(content->size)
            << "</title></rect>\n";
    }
    out << "</svg>\n<p class=\"ends\"><span>" << kmd::hex(range.begin) << "</span><span>"
        << kmd::hex(range.end) << "</span></p>\n";
}

/// What is largest in a stretch, by name.
std::string largest_in(const Stretch& stretch)
{
    constexpr std::size_t most = 4;
    std::vector<const Content*> named;
    std::copy_if(stretch.contents.begin(), stretch.contents.end(), std::back_inserter(named),
                 [](const Content* content) { return !content->name.empty(); });
    std::stable_sort(named.begin(), named.end(),
                     [](const Content* a, const Content* b) { return a->size > b->size; });
    std::string text;
    for (const Content* content : std::span(named).first(std::min(most, named.size()))) {
        text += (text.empty() ? "" : ", ") + html(content->name) + " (" + size_text(content->size) + ")";
    }
    return text;
}

void write_stretch(const Stretch& stretch, const DrawnRange& all, std::ostream& out)
{
    const double times = static_cast<double>(all.size()) / static_cast<double>(stretch.range.size());
    out << "<div class=\"stretch\">\n<p>" << size_text(stretch.range.size()) << " at <code>"
        << kmd::hex(stretch.range.begin) << "</code>, " << print("%.0f", times) << " times the scale above, "
        << stretch.contents.size() << (stretch.contents.size() == 1 ? " piece" : " pieces") << "</p>\n"
        << "<svg class=\"where\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
        << rectangle(all, stretch.range.begin, stretch.range.end, "here") << "</rect></svg>\n";
    write_bar(stretch.range, stretch.contents, "Physical memory, enlarged", out);
    if (const std::string largest = largest_in(stretch); !largest.empty()) {
        out << "<p class=\"soft\">" << largest << "</p>\n";
    }
    out << "</div>\n";
}

void write_content_rows(const Report& report, std::ostream& out)
{
    out << "<details><summary>All " << report.contents.size()
        << " pieces</summary>\n<div class=\"scroll\"><table>\n"
        << "<thead><tr><th>physical</th><th>virtual</th><th "
           "class=\"number\">bytes</th><th>kind</th><th>name</th></tr></thead>\n<tbody>\n";
    for (const Content& content : report.contents) {
        out << "<tr><td><code>" << kmd::hex(content.phys) << "</code></td><td><code>"
            << kmd::hex(content.virt) << "</code></td><td class=\"number\">" << content.size << "</td><td>"
            << html(content.kind) << "</td><td class=\"wide\">" << html(content.name)
            << (content.status.empty() ? "" : " (" + html(content.status) + ")") << "</td></tr>\n";
    }
    out << "</tbody></table></div></details>\n";
}

/// What memory is that lies in no region.
const char* words_for_no_region(const Report& report)
{
    const bool listed = std::any_of(report.contents.begin(), report.contents.end(),
                                    [](const Content& content) { return content.kind == kListedOrAdded; });
    return listed ? "listed by the guest (tasks, their stacks, variables), or added by the host (stacks of "
                    "CPUs, code, page tables)"
                  : "added by the host: stacks of CPUs, code, page tables";
}

void write_memory(const Report& report, std::ostream& out)
{
    out << "<section id=\"memory\">\n<h2>Where the memory lies</h2>\n";
    const auto stretches = cut_into_stretches(report.contents, kMostStretches);
    if (stretches.empty()) {
        out << note("The dump holds no memory.") << "</section>\n";
        return;
    }
    const DrawnRange all = overview_of(stretches);
    std::vector<const Content*> drawn;
    for (const Stretch& stretch : stretches) {
        drawn.insert(drawn.end(), stretch.contents.begin(), stretch.contents.end());
    }
    out << "<p>" << size_text(all.size()) << " of physical addresses, to scale; "
        << size_text(report.core.memory_bytes)
        << " of them are in the dump. Nothing is drawn narrower than a hair. Names show under the "
           "pointer.</p>\n"
        << "<p class=\"legend\"><span><i class=\"region\"></i>regions of the guest</span>"
        << "<span><i class=\"table\"></i>vmcoreinfo and other tables</span>"
        << "<span><i class=\"host\"></i>" << words_for_no_region(report) << "</span></p>\n";
    write_bar(all, drawn, "All physical memory that the dump reaches", out);
    out << "<h3>Enlarged</h3>\n";
    for (const Stretch& stretch : stretches) {
        write_stretch(stretch, all, out);
    }
    write_content_rows(report, out);
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
        // Every sleeping task is in the scheduler; who called it says more.
        const Frame& telling = frames.size() > 2 ? frames[2] : frames.back();
        const auto place = place_of(symbols, telling);
        out << "<details><summary><code>" << (place ? html(*place) : digits(telling.address))
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
    write_memory(report, out);
    write_cpus(report, out);
    write_tasks(report, out);
    write_log(report, out);
    out << "<footer>Made by kmdump report. What the guest said is shown as it is in the dump; \\x.. stands "
           "for a byte that cannot be shown, and \\\\ for a backslash.</footer>\n</main>\n</body>\n</html>\n";
}

} // namespace kmdump
