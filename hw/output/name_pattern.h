// SPDX-License-Identifier: GPL-2.0-or-later
//
// How dumps in a folder are called. The pattern is the host's; nothing of it comes from the guest.
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

    /// `text`: %n is the number, four digits, and has to be there; %r the reason; %t the time, for example
    /// 20261124T181225Z; %% a percent sign. An error says what is wrong with property name=.
    static Result<NamePattern> parse(const std::string& text);

    /// `number`: 1 to kHighestNumber. `time` is shown in UTC.
    std::string expand(unsigned number, const std::string& reason, std::time_t time) const;

    /// The number of a dump of this pattern, complete or not, whatever follows in its name.
    std::optional<unsigned> number_in(std::string_view name) const;

    /// Whether `name` is one that expand() gives.
    bool matches(std::string_view name) const;

  private:
    /// 0: text as it is; otherwise the letter behind the percent sign.
    struct Token {
        char letter = 0;
        std::string text;
    };

    /// Whether `name` begins as the pattern does, up to its first number or, with `all`, to its end, and
    /// the rest of the name.
    std::optional<std::string_view> match(std::string_view name, bool all) const;

    std::vector<Token> tokens_;
};

} // namespace kmd
