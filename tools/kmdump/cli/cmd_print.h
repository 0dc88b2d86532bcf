// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump print: a variable or structure of the kernel, by its types.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"
#include "kmdump/kernel/value_path.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct PrintOptions {
    std::string path;
    std::string expression;           ///< see parse_value_path()
    std::string type;                 ///< of the expression's base; empty: that of the variable
    std::optional<std::uint64_t> cpu; ///< whose instance of a per-CPU variable
    std::string vmlinux;              ///< source of symbols and types; empty: the dump itself
    bool json = false;
};

/// Writes the value to `out`. An error if it cannot be found.
std::optional<kmd::Error> print_value(const PrintOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
