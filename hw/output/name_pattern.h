// SPDX-License-Identifier: GPL-2.0-or-later
//
// The name pattern of dumps in a folder. It is set on the host; the guest contributes nothing.
#pragma once

#include "common/result.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

class NamePattern
{
  public:
    static constexpr unsigned kHighestNumber = 9999;

    /// `text`: %n is the number, four digits, required; %r the reason; %t the time, for example
    /// 20261124T181225Z; %% a percent sign. An error says what is wrong with property name=.
    static Result<NamePattern> parse(const std::string& text);

    /// `number`: 1 to kHighestNumber. `time` is shown in UTC.
    std::string expand(unsigned number, const std::string& reason, std::time_t time) const;

    /// The number in the name of a dump of this pattern, complete or not, whatever follows the number.
    std::optional<unsigned> number_in(std::string_view name) const;

    /// Whether expand() can return `name`.
    bool matches(std::string_view name) const;

  private:
    /// letter is 0 for literal text, otherwise the letter after the percent sign.
    struct Token {
        char letter = 0;
        std::string text;
    };

    /// Matches `name` against the pattern up to its first number or, with `all`, to its end. Returns the rest
    /// of the name; none if it does not match.
    std::optional<std::string_view> match(std::string_view name, bool all) const;

    std::vector<Token> tokens_;
};

} // namespace kmd
