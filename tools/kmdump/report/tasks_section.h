// SPDX-License-Identifier: GPL-2.0-or-later
//
// The parts of the report page that show what CPUs and tasks did.
#pragma once

#include "kmdump/report/report.h"

#include <ostream>
#include <vector>

namespace kmdump
{

/// A list of the frames.
void write_backtrace(const Backtrace& backtrace, const Symbols& symbols, std::ostream& out);

/// A row for each task, which unfolds to its backtrace.
void write_task_table(const std::vector<Task>& tasks, const Symbols& symbols, std::ostream& out);

void write_cpus_section(const Report& report, std::ostream& out);
void write_tasks_section(const Report& report, std::ostream& out);

} // namespace kmdump
