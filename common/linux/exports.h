// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbols that a kernel exports to modules (__ksymtab, __ksymtab_gpl), for kernels whose kallsyms names
// functions only. An entry is three offsets of 32 bits, each from its own place: to the value, the name and
// the namespace (struct kernel_symbol with CONFIG_HAVE_ARCH_PREL32_RELOCATIONS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace kmd
{

/// Searches a part of the kernel's image, whose first byte is at the address `begin`, for the tables.
/// `anchor`: a symbol that every kernel exports. Returns the addresses of those in `wanted`; empty if there
/// is no table. The bytes can be anything: it takes a bounded number of passes over them.
std::map<std::string, std::uint64_t, std::less<>> find_exports(std::span<const std::byte> image,
                                                               std::uint64_t begin, std::string_view anchor,
                                                               const std::set<std::string_view>& wanted);

} // namespace kmd
