// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbol table that a kernel carries in its own memory (CONFIG_KALLSYMS).
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

namespace kmdump
{

/// Reads the symbols of the kernel itself, without its modules. If the dump has only the start of the tables,
/// the result has only those symbols. The init functions can follow after a gap; `layout` (see
/// kernel_layout.h) says where. An error if a table is missing or corrupt. Time and memory are bounded by
/// the size of the file.
kmd::Result<Symbols> read_kallsyms(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                                   const kmd::Vmcoreinfo& layout);

} // namespace kmdump
