// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's tasks, from the kernel's list of processes.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/struct_layout.h"
#include "kmdump/kernel/symbols.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

struct Task {
    std::uint64_t address = 0; ///< of the task_struct
    std::uint64_t pid = 0;
    std::uint64_t tgid = 0;                ///< PID of the process
    std::string comm;                      ///< not escaped: up to 16 arbitrary bytes
    std::optional<std::uint64_t> state;    ///< task_struct.__state
    std::uint64_t exit_state = 0;          ///< task_struct.exit_state
    std::optional<std::uint64_t> cpu;      ///< the CPU that runs it; nothing if it does not run
    std::optional<std::uint64_t> run_time; ///< CPU time in nanoseconds, up to its last switch or tick
    /// Where it sleeps. No frames if it runs, or if the dump does not have them.
    Backtrace backtrace;
};

struct TaskList {
    std::vector<Task> tasks;
    /// Why some tasks are missing; empty if none are.
    std::string cut;
};

/// Reads at most 65536 tasks. A broken list yields the tasks up to there. An error if there is no list.
/// `layout`: see read_task_layout().
kmd::Result<TaskList> read_tasks(const Dump& dump, const Symbols& symbols, MemberOffsets layout);

/// The innermost frame of a sleeping task that is not the scheduler's; nothing without a backtrace.
std::optional<Frame> waiting_place(const Task& task, const Symbols& symbols);

/// The state as ps shows it, such as "S" or "D"; "?" if unknown.
std::string task_state_letter(const Task& task);

} // namespace kmdump
