// SPDX-License-Identifier: GPL-2.0-or-later
//
// The functions of the modules that a kernel had loaded.
#pragma once

#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

#include <vector>

namespace kmdump
{

/// A table for the code of each module, and one for what it only runs when it starts, out of the symbol
/// tables that the kernel keeps of its modules. `layout` (see kernel_layout.h) says where they are; without
/// it there are none. Ends where the dump does: at most 4,096 modules, 262,144 symbols and 32 MiB of names.
std::vector<SymbolTable> read_module_symbols(const KernelMemory& memory, const kmd::Vmcoreinfo& layout);

} // namespace kmdump
