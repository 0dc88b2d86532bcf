// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/vmcoreinfo.h"

#include "common/page_size.h"

#include <algorithm>
#include <charconv>

namespace kmd
{

namespace
{

std::optional<std::uint64_t> parse_number(std::string_view digits, int base)
{
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
    if (error != std::errc() || stop != end) {
        return std::nullopt;
    }
    return value;
}

} // namespace

Vmcoreinfo::Vmcoreinfo(std::string_view text)
{
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto equals = line.find('=');
        if (equals != std::string_view::npos) {
            values_.emplace(line.substr(0, equals), line.substr(equals + 1));
        }
    }
}

std::optional<std::string_view> Vmcoreinfo::text(std::string_view key) const
{
    const auto found = values_.find(key);
    if (found == values_.end()) {
        return std::nullopt;
    }
    return found->second;
}

std::optional<std::uint64_t> Vmcoreinfo::number(std::string_view key) const
{
    auto value = text(key);
    if (!value) {
        return std::nullopt;
    }
    const bool negative = value->starts_with('-');
    if (negative) {
        value->remove_prefix(1);
    }
    const bool hexadecimal = value->starts_with("0x");
    const auto magnitude = hexadecimal ? parse_number(value->substr(2), 16) : parse_number(*value, 10);
    return negative && magnitude ? 0 - *magnitude : magnitude;
}

std::optional<std::uint64_t> Vmcoreinfo::symbol(std::string_view key) const
{
    const auto value = text(key);
    return value ? parse_number(*value, 16) : std::nullopt;
}

std::optional<std::uint64_t> Vmcoreinfo::page_size() const
{
    const auto value = text("PAGESIZE");
    const auto size = value ? parse_number(*value, 10) : std::nullopt;
    return size && is_page_size(*size) ? size : std::nullopt;
}

} // namespace kmd
