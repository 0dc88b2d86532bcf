// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/style.h"

#include <unistd.h>

#include <cstdlib>

namespace kmdump
{

Style Style::of_standard_output()
{
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string_view(value == nullptr ? "" : value);
    };
    return Style(::isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").empty() && !variable("TERM").empty() &&
                 variable("TERM") != "dumb");
}

std::string Style::in(std::string_view code, std::string_view text) const
{
    if (!colour_) {
        return std::string(text);
    }
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

} // namespace kmdump
