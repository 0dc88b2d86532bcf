// SPDX-License-Identifier: GPL-2.0-or-later
//
// Chooses the symbols for a dump: its own or those of a vmlinux file. Symbols of modules always come from the
// dump.
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
    /// Why there are no kernel symbols; nothing if there are some.
    std::optional<std::string> missing;
};

/// The symbols of `vmlinux`; if that is empty or names no functions, those of the dump. Finding none is not
/// an error. An error if `vmlinux` cannot be read or is of another kernel.
kmd::Result<SymbolSource> find_symbols(const Dump& dump, const std::string& vmlinux);

struct DumpWithSymbols {
    Dump dump;
    SymbolSource source;
};

/// An error of open_dump() or of find_symbols().
kmd::Result<DumpWithSymbols> open_with_symbols(const std::string& path, const std::string& vmlinux);

} // namespace kmdump
