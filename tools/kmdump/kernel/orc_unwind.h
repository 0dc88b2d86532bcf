// SPDX-License-Identifier: GPL-2.0-or-later
//
// Backtraces by the ORC tables of a kernel without frame records.
#pragma once

#include "common/architecture.h"
#include "common/linux/orc.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

namespace kmdump
{

/// Where `symbols` or kmd_layout say that the tables are.
kmd::OrcTables find_orc_tables(const Dump& dump, const Symbols& symbols);

/// Unwinds from `registers`. Where the tables do not tell how, as in modules, what scan_stacks() finds
/// follows. At most Unwinder::kMostFrames frames.
Backtrace unwind_with_orc(const kmd::SavedRegisters& registers, const kmd::Architecture& architecture,
                          const KernelMemory& memory, const Symbols& symbols, const kmd::OrcTables& tables);

} // namespace kmdump
