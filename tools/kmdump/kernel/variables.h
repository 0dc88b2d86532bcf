// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's variables: their addresses, and their types as far as these are known. BTF has the types of
// per-CPU variables only.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/symbols.h"
#include "kmdump/kernel/typed_value.h"
#include "kmdump/kernel/types.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmdump
{

/// The address of a variable or function. Nothing if the dump does not name it.
std::optional<std::uint64_t> address_of_symbol(const Dump& dump, const Symbols& symbols,
                                               const std::string& name);

/// Advice for a symbol that address_of_symbol() does not find.
kmd::Error unknown_symbol(const std::string& name);

/// Where a variable may be searched.
struct ValueSource {
    const Dump& dump;
    const Symbols& symbols;
    const Types& types;
};

/// The variable `name`, or the value at the address `name` if that is "0x" and hexadecimal digits. `type`:
/// its type, such as "task_struct" or "struct page *"; if it is empty, that of the variable, as far as it is
/// known. `cpu`: whose instance of a per-CPU variable.
kmd::Result<ValuePlace> find_base(const ValueSource& source, const std::string& name, const std::string& type,
                                  std::optional<std::uint64_t> cpu);

} // namespace kmdump
