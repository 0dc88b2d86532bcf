// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers in the user's arguments.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kmdump
{

/// All of the text has to be digits of the base.
inline std::optional<std::uint64_t> parse_digits(std::string_view text, int base)
{
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

inline std::optional<std::uint64_t> parse_decimal(std::string_view text)
{
    return parse_digits(text, 10);
}

/// "0x" and digits.
inline std::optional<std::uint64_t> parse_hexadecimal(std::string_view text)
{
    return text.starts_with("0x") ? parse_digits(text.substr(2), 16) : std::nullopt;
}

} // namespace kmdump
