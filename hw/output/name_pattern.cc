// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/name_pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace kmd
{

namespace
{

/// Leaves room for suffixes in the 255 bytes that file systems allow.
constexpr std::size_t kLongestName = 200;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

std::string digits_of(unsigned number)
{
    std::array<char, 16> digits;
    std::snprintf(digits.data(), digits.size(), "%04u", number);
    return digits.data();
}

std::string utc(std::time_t time)
{
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text;
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

/// The number of characters at the start of `name` that the placeholder `letter` matches; 0 if none.
std::size_t length_of(char letter, std::string_view name)
{
    const auto digits = [&](std::size_t from, std::size_t count) {
        return name.size() >= from + count &&
               std::all_of(name.begin() + from, name.begin() + from + count, is_digit);
    };
    switch (letter) {
    case 'n':
        return digits(0, 4) ? 4 : 0;
    case 't':
        return digits(0, 8) && digits(9, 6) && name.size() > 15 && name[8] == 'T' && name[15] == 'Z' ? 16 : 0;
    default:
        return static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_lower) - name.begin());
    }
}

} // namespace

Result<NamePattern> NamePattern::parse(const std::string& text)
{
    const auto wrong = [&](const std::string& why) { return Error{"name=" + text + " " + why}; };
    NamePattern pattern;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char letter = 0;
        if (text[i] == '%') {
            ++i;
            letter = i < text.size() ? text[i] : '\0';
            if (letter == '\0' || std::string_view("nrt%").find(letter) == std::string_view::npos) {
                return wrong("has an unknown % sequence: expected %n, %r, %t or %%");
            }
        }
        if (letter == 0 || letter == '%') {
            if (pattern.tokens_.empty() || pattern.tokens_.back().letter != 0) {
                pattern.tokens_.push_back({});
            }
            pattern.tokens_.back().text += text[i];
        } else {
            pattern.tokens_.push_back({letter, {}});
        }
    }
    if (text.find('/') != std::string::npos || text.starts_with('.')) {
        return wrong(
            "is not the name of a file in the output folder: it must not have a / or begin with a dot");
    }
    if (std::none_of(pattern.tokens_.begin(), pattern.tokens_.end(),
                     [](const Token& token) { return token.letter == 'n'; })) {
        return wrong("needs a %n, the number that tells dumps apart");
    }
    const std::string example = pattern.expand(kHighestNumber, "shutdown", 0);
    if (example.size() > kLongestName) {
        return wrong("is too long: expected at most " + std::to_string(kLongestName) + " characters");
    }
    if (!pattern.matches(example) || pattern.number_in(example) != kHighestNumber) {
        return wrong("is ambiguous: put something other than a lower-case letter after %r");
    }
    return pattern;
}

std::string NamePattern::expand(unsigned number, const std::string& reason, std::time_t time) const
{
    std::string name;
    for (const Token& token : tokens_) {
        switch (token.letter) {
        case 'n':
            name += digits_of(number);
            break;
        case 'r':
            name += reason;
            break;
        case 't':
            name += utc(time);
            break;
        default:
            name += token.text;
        }
    }
    return name;
}

std::optional<std::string_view> NamePattern::match(std::string_view name, bool all) const
{
    for (const Token& token : tokens_) {
        if (token.letter == 'n' && !all) {
            return name;
        }
        const bool text = token.letter == 0;
        const std::size_t length = text ? token.text.size() : length_of(token.letter, name);
        if (length == 0 || (text && !name.starts_with(token.text))) {
            return std::nullopt;
        }
        name.remove_prefix(length);
    }
    return name;
}

std::optional<unsigned> NamePattern::number_in(std::string_view name) const
{
    const auto rest = match(name, false);
    if (!rest || length_of('n', *rest) == 0) {
        return std::nullopt;
    }
    unsigned number = 0;
    std::from_chars(rest->data(), rest->data() + 4, number);
    return number;
}

bool NamePattern::matches(std::string_view name) const
{
    const auto rest = match(name, true);
    return rest && rest->empty();
}

} // namespace kmd
