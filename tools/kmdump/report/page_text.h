// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers and notes as the page shows them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace kmdump
{

/// As std::snprintf() formats them, cut at 127 characters.
template <class... Arguments> std::string formatted(const char* format, Arguments... arguments)
{
    std::array<char, 128> text;
    std::snprintf(text.data(), text.size(), format, arguments...);
    return text.data();
}

/// Exact below 1 KiB, otherwise to a tenth of a unit.
std::string size_text(std::uint64_t bytes);

/// Seconds with six decimals, as in dmesg.
std::string seconds_text(std::uint64_t nanoseconds);

/// A highlighted paragraph. `sentence` is escaped.
std::string note(const std::string& sentence);

} // namespace kmdump
