// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values in a dump's memory with their types. Types and values can be hostile: everything is bounded.
#pragma once

#include "common/linux/virtual_memory.h"
#include "common/result.h"
#include "kmdump/kernel/types.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kmdump
{

/// Where a value is.
struct ValuePlace {
    std::uint64_t address = 0; ///< virtual
    std::uint32_t type = 0;    ///< its number in the BTF
    /// Of a bit field: number of its bits, and where they begin in the bytes at the address.
    std::uint32_t bits = 0;
    std::uint32_t first_bit = 0;
};

/// The address in a pointer.
struct Pointer {
    std::uint64_t address = 0;
};

/// A value, or a tree of them.
struct TypedValue {
    std::string name; ///< of the member; empty for elements of an array
    std::string type; ///< such as "struct list_head"
    enum class Kind { kLeaf, kMembers, kElements } kind = Kind::kLeaf;
    /// Of a leaf. std::string: text, or the name of an enumerator. std::monostate: the dump does not have it,
    /// or nothing can be said of its type.
    std::variant<std::monostate, std::int64_t, std::uint64_t, bool, std::string, Pointer> leaf;
    std::vector<TypedValue> parts;
    std::uint64_t left_out = 0; ///< number of parts that are not shown
};

/// Elements of an array that are shown.
constexpr std::uint64_t kMostElements = 64;
/// Values in a tree that are shown.
constexpr std::uint64_t kMostValues = 20'000;

/// Reads the value.
TypedValue read_value(const Types& types, const kmd::VirtualMemory& memory, const ValuePlace& place);

/// The size of a type in bytes; 0 if it is not known.
std::uint64_t type_size(const Types& types, std::uint32_t type);

/// The type without typedefs and qualifiers; 0 if there is none.
inline std::uint32_t plain_type(const Types& types, std::uint32_t type)
{
    return plain_type(types.handle.get(), type);
}

/// As in C, for example "struct list_head *".
std::string type_name(const Types& types, std::uint32_t type);

} // namespace kmdump
