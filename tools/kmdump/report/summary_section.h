// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first part of the report page: what one looks at first after a crash.
#pragma once

#include "kmdump/report/report.h"

#include <ostream>

namespace kmdump
{

/// The calls of the CPU that panicked, the last lines of the log, and the tasks that ran or were blocked.
void write_summary_section(const Report& report, std::ostream& out);

} // namespace kmdump
