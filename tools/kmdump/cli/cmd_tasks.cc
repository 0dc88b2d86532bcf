// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_tasks.h"

#include "kmdump/cli/backtrace_text.h"
#include "kmdump/cli/table.h"
#include "kmdump/cli/task_text.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/task_layout.h"
#include "kmdump/text/escape.h"

#include <array>
#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::array<Column, 7> kColumns = {{{"PID", true},
                                             {"process", true},
                                             {"state", false},
                                             {"CPU", true},
                                             {"time, s", true},
                                             {"name", false},
                                             {"waits in", false}}};

std::vector<std::string> to_row(const Task& task, const Symbols& symbols)
{
    return {std::to_string(task.pid),
            std::to_string(task.tgid),
            task_state_letter(task),
            task.cpu ? std::to_string(*task.cpu) : "",
            run_time_text(task),
            escape(task.comm),
            escape(waiting_text(task, symbols))};
}

void print_table_of(const TaskList& list, const Symbols& symbols, const Style& style, std::ostream& out)
{
    std::vector<std::vector<std::string>> rows;
    for (const Task& task : list.tasks) {
        rows.push_back(to_row(task, symbols));
    }
    print_table(kColumns, rows, style, out);
}

void print_stacks(const TaskList& list, const Symbols& symbols, const Style& style, std::ostream& out)
{
    for (const Task& task : list.tasks) {
        if (!task.backtrace.frames.empty()) {
            out << "\n" << style.heading(std::to_string(task.pid) + "  " + escape(task.comm)) << "\n";
            print_backtrace(task.backtrace, symbols, "  ", out);
        }
    }
}

void print_json(const TasksOptions& options, const TaskList& list, const Symbols& symbols, std::ostream& out)
{
    Json json = json_document("tasks", options.path);
    json["cut"] = list.cut.empty() ? Json(nullptr) : Json(list.cut);
    JsonStream stream(json, out);
    stream.begin_list("tasks");
    for (const Task& task : list.tasks) {
        Json item = task_json(task);
        const std::string place = waiting_text(task, symbols);
        item["waits_in"] = place.empty() ? Json(nullptr) : Json(place);
        if (options.stack) {
            add_backtrace(item, task.backtrace, symbols);
        }
        stream.add(item);
    }
    stream.end_list();
    stream.end();
}

} // namespace

std::optional<kmd::Error> print_tasks(const TasksOptions& options, const Style& style, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, options.vmlinux);
    if (!opened) {
        return opened.error();
    }
    const auto& [dump, source] = opened.value();
    auto layout = read_task_layout(dump, options.vmlinux);
    if (!layout) {
        return layout.error();
    }
    const Symbols& symbols = source.symbols;
    const auto list = read_tasks(dump, symbols, std::move(layout.value()));
    if (!list) {
        return list.error();
    }
    if (options.json) {
        print_json(options, list.value(), symbols, out);
        return std::nullopt;
    }
    print_table_of(list.value(), symbols, style, out);
    if (options.stack) {
        print_stacks(list.value(), symbols, style, out);
    }
    if (!list.value().cut.empty()) {
        out << "\nthere may be more tasks: " << list.value().cut << "\n";
    }
    return std::nullopt;
}

} // namespace kmdump
