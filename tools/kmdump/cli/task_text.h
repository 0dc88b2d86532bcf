// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tasks as the commands print them.
#pragma once

#include "kmdump/kernel/symbols.h"
#include "kmdump/kernel/tasks.h"
#include "kmdump/text/json.h"

#include <optional>
#include <string>

namespace kmdump
{

/// Where a sleeping task waits: the place in a function, or the address; empty if that is unknown or it runs.
/// Not escaped.
std::string waiting_text(const Task& task, const Symbols& symbols);

/// Seconds, such as "0.012"; "-" if unknown.
std::string run_time_text(const Task& task);

/// What every command says of a task, without its backtrace.
Json task_json(const Task& task);

} // namespace kmdump
