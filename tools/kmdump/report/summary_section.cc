// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/summary_section.h"

#include "kmdump/report/log_section.h"
#include "kmdump/report/tasks_section.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::size_t kLastRecords = 20;

void write_panicked_cpu(const Report& report, std::ostream& out)
{
    const auto& cpus = report.cpus.value();
    for (std::size_t i = 0; i < cpus.size(); ++i) {
        if (cpus[i].panicked) {
            out << "<h3>CPU " << i << ", which panicked</h3>\n";
            write_backtrace(cpus[i].backtrace, report.symbols.symbols, out);
        }
    }
}

void write_last_records(const PrintkLog& log, std::ostream& out)
{
    const std::span<const LogRecord> records = log.records;
    if (!records.empty()) {
        out << "<h3>The end of the log</h3>\n";
        write_log_lines(records.last(std::min(records.size(), kLastRecords)), out);
    }
}

bool ran_or_was_blocked(const Task& task)
{
    return task.pid != 0 && (task.cpu || task_state_letter(task) == "D");
}

void write_notable_tasks(const TaskList& list, const Symbols& symbols, std::ostream& out)
{
    std::vector<Task> notable;
    std::copy_if(list.tasks.begin(), list.tasks.end(), std::back_inserter(notable), ran_or_was_blocked);
    if (!notable.empty()) {
        out << "<h3>Tasks that ran or were blocked</h3>\n";
        write_task_table(notable, symbols, out);
    }
}

} // namespace

void write_summary_section(const Report& report, std::ostream& out)
{
    out << "<section id=\"summary\">\n<h2>What happened</h2>\n";
    if (report.cpus) {
        write_panicked_cpu(report, out);
    }
    if (report.log) {
        write_last_records(report.log.value(), out);
    }
    if (report.tasks) {
        write_notable_tasks(report.tasks.value(), report.symbols.symbols, out);
    }
    out << "</section>\n";
}

} // namespace kmdump
