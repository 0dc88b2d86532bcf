// SPDX-License-Identifier: GPL-2.0-or-later
//
// The section of the page that draws where the dump's memory lies.
#pragma once

#include "kmdump/report/report.h"

#include <ostream>

namespace kmdump
{

/// Writes an overview of physical memory, each stretch enlarged, and a table of all pieces.
void write_memory_section(const Report& report, std::ostream& out);

} // namespace kmdump
