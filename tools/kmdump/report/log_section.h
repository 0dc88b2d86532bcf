// SPDX-License-Identifier: GPL-2.0-or-later
//
// The part of the report page that shows the kernel's log.
#pragma once

#include "kmdump/report/report.h"

#include <ostream>
#include <span>

namespace kmdump
{

/// A list of records with their levels.
void write_log_lines(std::span<const LogRecord> records, std::ostream& out);

void write_log_section(const Report& report, std::ostream& out);

} // namespace kmdump
