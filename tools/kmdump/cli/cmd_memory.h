// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump memory: bytes at an address of the kernel.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct MemoryOptions {
    std::string path;
    /// "0x" and hexadecimal digits, or the name of a variable or function, either with "+" and a number of
    /// bytes.
    std::string where;
    std::uint64_t length = 256; ///< bytes
    bool physical = false;      ///< `where` is a physical address
    std::string vmlinux;        ///< source of symbols; empty: the dump itself
    bool json = false;
};

constexpr std::uint64_t kLongestMemory = std::uint64_t{1} << 20;

/// Writes to `out`; a byte that the dump lacks is shown as "--". An error if it lacks all of them, or has no
/// such symbol.
std::optional<kmd::Error> print_memory(const MemoryOptions& options, std::ostream& out);

} // namespace kmdump
