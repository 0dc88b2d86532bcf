// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbols of loaded kernel modules.
#pragma once

#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

#include <string>
#include <vector>

namespace kmdump
{

struct ModuleSymbols {
    std::vector<SymbolTable> tables;
    /// Why modules are missing; empty if none are.
    std::string cut;
};

/// Reads a table for the code of each module and one for its init code, from the symbol tables that the
/// kernel keeps. `layout` (see kernel_layout.h) has the addresses. Stops where the dump ends, and at 4,096
/// modules, 262,144 symbols and 32 MiB of names.
ModuleSymbols read_module_symbols(const KernelMemory& memory, const kmd::Vmcoreinfo& layout);

} // namespace kmdump
