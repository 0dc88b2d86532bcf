// SPDX-License-Identifier: GPL-2.0-or-later
//
// Backtraces of kernels without frame records: every address of code on a stack may be that of a caller, as
// in the lines that the kernel itself marks with a question mark.
#pragma once

#include "common/architecture.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

namespace kmdump
{

/// Reads the stack at `registers.sp`, and the stacks that its interrupt or exception interrupted: at most
/// Unwinder::kMostFrames frames. All but the first are possible ones.
Backtrace scan_stacks(const kmd::SavedRegisters& registers, const kmd::Architecture& architecture,
                      const KernelMemory& memory, const Symbols& symbols);

} // namespace kmdump
