// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which symbols there are for a dump: its own, or those of a vmlinux file. Those of modules are always the
// dump's own.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/symbols.h"

#include <optional>
#include <string>

namespace kmdump
{

struct SymbolSource {
    Symbols symbols;
    std::string name; ///< "kallsyms", "vmlinux", or "none"
    /// Why there are none.
    std::optional<std::string> missing;
};

/// Those of `vmlinux`; if that is empty or has none, those of the dump itself. That there are none is no
/// error. An error when `vmlinux` cannot be read, or is of another kernel.
kmd::Result<SymbolSource> find_symbols(const Dump& dump, const std::string& vmlinux);

} // namespace kmdump
