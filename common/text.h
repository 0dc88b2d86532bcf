// SPDX-License-Identifier: GPL-2.0-or-later
//
// Formatting for messages.
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

/// Sixteen lower-case hexadecimal digits, so that columns line up.
inline std::string hex_digits(std::uint64_t value)
{
    const std::string digits = hex(value).substr(2);
    return std::string(16 - digits.size(), '0') + digits;
}

/// Untrusted text made fit for a message: printable ASCII, at most 64 characters and "...".
inline std::string printable(const std::string& text)
{
    constexpr std::size_t kLongest = 64;
    std::string shown = text.substr(0, kLongest);
    for (char& c : shown) {
        c = c >= ' ' && c <= '~' ? c : '?';
    }
    return text.size() > kLongest ? shown + "..." : shown;
}

} // namespace kmd
