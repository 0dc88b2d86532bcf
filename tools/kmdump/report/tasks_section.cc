// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/tasks_section.h"

#include "common/text.h"
#include "kmdump/report/html.h"
#include "kmdump/report/page_text.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace kmdump
{

namespace
{

void write_register(const std::string& name, std::uint64_t value, std::ostream& out)
{
    out << "<span><b>" << name << std::string(7 - name.size(), ' ') << "</b>" << kmd::hex_digits(value)
        << "</span>\n";
}

void write_cpu(std::size_t number, const CpuState& cpu, const Symbols& symbols, std::ostream& out)
{
    const kmd::CpuRegisters& registers = cpu.registers;
    const auto place = place_of(symbols, {registers.pc, true});
    out << "<details class=\"cpu\"" << (cpu.panicked || number == 0 ? " open" : "") << "><summary>CPU "
        << number << " <span class=\"" << (cpu.panicked ? "tag bad" : "tag") << "\">" << activity_words(cpu)
        << "</span>"
        << " <code>" << (place ? html(*place) : kmd::hex_digits(registers.pc)) << "</code></summary>\n";
    write_backtrace(cpu.backtrace, symbols, out);
    out << "<div class=\"registers\">\n";
    write_register("pc", registers.pc, out);
    write_register("sp", registers.sp, out);
    if (!registers.state_name.empty()) {
        write_register(std::string(registers.state_name), registers.state, out);
    }
    for (std::size_t i = 0; i < registers.general.size(); ++i) {
        write_register(registers.name_of(i), registers.general[i], out);
    }
    out << "</div>\n</details>\n";
}

void write_task(const Task& task, const Symbols& symbols, std::ostream& out)
{
    out << "<tr><td class=\"number\">" << task.pid << "</td><td class=\"number\">" << task.tgid << "</td><td>"
        << task_state_letter(task) << "</td><td>" << (task.cpu ? std::to_string(*task.cpu) : "")
        << "</td><td><code>" << html(task.comm) << "</code></td><td class=\"wide\">";
    if (const auto frame = waiting_place(task, symbols); !frame) {
        out << (task.cpu ? "runs" : "");
    } else {
        const auto place = place_of(symbols, *frame);
        out << "<details><summary><code>" << (place ? html(*place) : kmd::hex_digits(frame->address))
            << "</code></summary>\n";
        write_backtrace(task.backtrace, symbols, out);
        out << "</details>";
    }
    out << "</td></tr>\n";
}

} // namespace

void write_backtrace(const Backtrace& backtrace, const Symbols& symbols, std::ostream& out)
{
    out << "<ol class=\"frames\">\n";
    for (const Frame& frame : backtrace.frames) {
        const auto place = place_of(symbols, frame);
        out << "<li><code>" << (place ? html(*place) : "?") << "</code><code class=\"soft\">"
            << kmd::hex_digits(frame.address) << "</code></li>\n";
    }
    out << "</ol>\n";
    if (!backtrace.cut.empty()) {
        out << "<p class=\"soft\">It ends here: " << html(backtrace.cut) << ".</p>\n";
    }
}

void write_task_table(const std::vector<Task>& tasks, const Symbols& symbols, std::ostream& out)
{
    out << "<div class=\"scroll\"><table>\n<thead><tr><th class=\"number\">PID</th><th "
           "class=\"number\">process</th><th>state</th>"
        << "<th>CPU</th><th>name</th><th>waits in</th></tr></thead>\n<tbody>\n";
    for (const Task& task : tasks) {
        write_task(task, symbols, out);
    }
    out << "</tbody></table></div>\n";
}

void write_cpus_section(const Report& report, std::ostream& out)
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

void write_tasks_section(const Report& report, std::ostream& out)
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
    write_task_table(list.tasks, report.symbols.symbols, out);
    out << "</section>\n";
}

} // namespace kmdump
