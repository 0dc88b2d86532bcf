// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump tasks: every task, as ps shows them.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct TasksOptions {
    std::string path;
    std::string vmlinux; ///< source of types and symbols; empty: the dump itself
    bool stack = false;  ///< with the backtrace of each task that sleeps
    bool json = false;
};

/// Writes to `out`. A list that is cut short is no error; the output says so.
std::optional<kmd::Error> print_tasks(const TasksOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
