// SPDX-License-Identifier: GPL-2.0-or-later
//
// Backtraces as the commands print them.
#pragma once

#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/symbols.h"
#include "kmdump/text/json.h"

#include <ostream>
#include <string>
#include <string_view>

namespace kmdump
{

/// The address and, if it has one, its place in a function, escaped.
std::string frame_text(const Symbols& symbols, const Frame& frame);

/// Writes a line for each frame, and one that says why the outermost are missing. Each begins with `indent`.
void print_backtrace(const Backtrace& backtrace, const Symbols& symbols, std::string_view indent,
                     std::ostream& out);

/// An object of `address` and `symbol`.
Json frame_json(const Symbols& symbols, const Frame& frame);

/// The members `backtrace` and `backtrace_cut`.
void add_backtrace(Json& json, const Backtrace& backtrace, const Symbols& symbols);

} // namespace kmdump
