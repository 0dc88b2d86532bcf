// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's tasks, by a walk of the kernel's list of processes.
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
    std::uint64_t address = 0; ///< of its task_struct
    std::uint64_t pid = 0;
    std::uint64_t tgid = 0;             ///< of its process
    std::string comm;                   ///< as the guest gave it: up to 16 bytes of anything
    std::optional<std::uint64_t> state; ///< task_struct.__state
    std::uint64_t exit_state = 0;       ///< task_struct.exit_state
    std::optional<std::uint64_t> cpu;   ///< that it runs on; nothing when it does not run
    /// Where it sleeps; no frames when it runs, or when that is not in the dump.
    Backtrace backtrace;
};

struct TaskList {
    std::vector<Task> tasks;
    /// Why there are not all; empty when there are.
    std::string cut;
};

/// What a walk of the tasks has to know. An error when `vmlinux` does not say it, or is of another kernel.
kmd::Result<MemberOffsets> read_task_layout(const Dump& dump, const std::string& vmlinux);

/// An error when there is no list to walk. At most 65536 tasks; a list that leads nowhere is cut, not
/// followed.
kmd::Result<TaskList> read_tasks(const Dump& dump, const Symbols& symbols, MemberOffsets layout);

/// As ps has it, such as "S" or "D"; "?" for what is not known.
std::string task_state_letter(const Task& task);

} // namespace kmdump
