// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers in messages for people.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

namespace kmd
{

/// "0x" and lower-case hexadecimal digits.
inline std::string hex(std::uint64_t value)
{
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value, 16).ptr;
    return "0x" + std::string(digits, end);
}

} // namespace kmd
