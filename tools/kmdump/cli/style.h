// SPDX-License-Identifier: GPL-2.0-or-later
//
// Colours for terminals.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

class Style
{
  public:
    /// Plain text.
    Style() = default;

    explicit Style(bool colour) : colour_(colour) {}

    /// Colour if standard output is a terminal that supports it and NO_COLOR is not set (no-color.org).
    static Style of_standard_output();

    std::string heading(std::string_view text) const { return in("1", text); }
    std::string bad(std::string_view text) const { return in("1;31", text); }
    std::string good(std::string_view text) const { return in("32", text); }

  private:
    std::string in(std::string_view code, std::string_view text) const;

    bool colour_ = false;
};

} // namespace kmdump
