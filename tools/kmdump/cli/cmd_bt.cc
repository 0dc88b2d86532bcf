// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_bt.h"

#include "kmdump/cli/backtrace_text.h"
#include "kmdump/cli/task_text.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/task_layout.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/number.h"

#include <string_view>
#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

/// A backtrace, whose it is in words, and what JSON says of the owner.
struct Owned {
    std::string title;
    Json owner;
    Backtrace backtrace;
};

Owned of_cpu(std::uint64_t number, const CpuState& cpu)
{
    return {"CPU " + std::to_string(number) + ", " + activity_words(cpu),
            {{"cpu", number}, {"state", activity_words(cpu)}},
            cpu.backtrace};
}

/// That of a task that runs is the one of its CPU.
Owned of_task(const Task& task, const std::vector<CpuState>& cpus)
{
    const bool runs = task.cpu && *task.cpu < cpus.size();
    return {"task " + std::to_string(task.pid) + ", " + escape(task.comm) + ", " +
                (task.cpu ? "on CPU " + std::to_string(*task.cpu) : "state " + task_state_letter(task)),
            task_json(task), runs ? cpus[*task.cpu].backtrace : task.backtrace};
}

kmd::Result<std::vector<Owned>> find_owners(const Dump& dump, const Symbols& symbols,
                                            const std::vector<CpuState>& cpus, const BtOptions& options)
{
    const auto owner = parse_backtrace_owner(options.owner).value_or(BacktraceOwner{});
    if (owner.cpu) {
        if (*owner.cpu >= cpus.size()) {
            return kmd::Error{"expected a CPU from 0 to " + std::to_string(cpus.size() - 1) + ", found " +
                              std::to_string(*owner.cpu)};
        }
        return std::vector<Owned>{of_cpu(*owner.cpu, cpus[*owner.cpu])};
    }
    auto layout = read_task_layout(dump, options.vmlinux);
    if (!layout) {
        return layout.error();
    }
    const auto list = read_tasks(dump, symbols, std::move(layout.value()));
    if (!list) {
        return list.error();
    }
    std::vector<Owned> found;
    for (const Task& task : list.value().tasks) {
        if (task.pid == owner.pid) {
            found.push_back(of_task(task, cpus));
        }
    }
    if (found.empty()) {
        const std::string& cut = list.value().cut;
        return kmd::Error{"expected a task with the PID " + options.owner + ", found none" +
                          (cut.empty() ? "" : "; there may be more tasks: " + cut)};
    }
    return found;
}

} // namespace

std::optional<BacktraceOwner> parse_backtrace_owner(const std::string& text)
{
    const bool is_cpu = text.starts_with("cpu");
    const auto number = parse_decimal(std::string_view(text).substr(is_cpu ? 3 : 0));
    if (!number) {
        return std::nullopt;
    }
    return is_cpu ? BacktraceOwner{std::nullopt, number} : BacktraceOwner{number, std::nullopt};
}

std::optional<kmd::Error> print_bt(const BtOptions& options, const Style& style, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, options.vmlinux);
    if (!opened) {
        return opened.error();
    }
    const auto& [dump, source] = opened.value();
    const Symbols& symbols = source.symbols;
    const auto sidecar = read_sidecar(options.path);
    const auto cpus = read_cpu_states(dump, symbols, sidecar ? sidecar.value() : std::nullopt);
    if (!cpus) {
        return cpus.error();
    }
    const auto found = find_owners(dump, symbols, cpus.value(), options);
    if (!found) {
        return found.error();
    }
    Json json = json_document("bt", options.path);
    json["backtraces"] = Json::array();
    for (const Owned& owned : found.value()) {
        if (options.json) {
            Json item = owned.owner;
            add_backtrace(item, owned.backtrace, symbols);
            json["backtraces"].push_back(std::move(item));
            continue;
        }
        out << style.heading(owned.title) << "\n";
        print_backtrace(owned.backtrace, symbols, "  ", out);
        if (owned.backtrace.frames.empty()) {
            out << "  (the dump has no backtrace of it)\n";
        }
    }
    if (options.json) {
        out << json_text(json) << "\n";
    } else if (source.missing) {
        out << "\nno symbols: " << *source.missing << "; --vmlinux FILE is another source\n";
    }
    return std::nullopt;
}

} // namespace kmdump
