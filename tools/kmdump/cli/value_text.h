// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values of the kernel as text and as JSON.
#pragma once

#include "kmdump/kernel/symbols.h"
#include "kmdump/kernel/typed_value.h"
#include "kmdump/text/json.h"

#include <ostream>

namespace kmdump
{

/// In the syntax of C, with a newline at its end. Text of the guest is escaped.
void print_value(const TypedValue& value, const Symbols& symbols, std::ostream& out);

/// An object, an array, or a leaf: a number, a text, or null if the dump does not have it. Numbers above 2^53
/// and pointers are strings.
Json value_json(const TypedValue& value, const Symbols& symbols);

} // namespace kmdump
