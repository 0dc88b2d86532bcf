// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/page_text.h"

#include "kmdump/report/html.h"

#include <cinttypes>
#include <cstddef>

namespace kmdump
{

std::string size_text(std::uint64_t bytes)
{
    constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
    }
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    const std::string number = formatted("%.1f", value);
    return (number.ends_with(".0") ? number.substr(0, number.size() - 2) : number) + " " + units[unit];
}

std::string seconds_text(std::uint64_t nanoseconds)
{
    return formatted("%5" PRIu64 ".%06" PRIu64, nanoseconds / 1000000000, nanoseconds / 1000 % 1000000);
}

std::string note(const std::string& sentence)
{
    return "<p class=\"note\">" + html(sentence) + "</p>\n";
}

} // namespace kmdump
