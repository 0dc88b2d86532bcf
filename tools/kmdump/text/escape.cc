// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/text/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace kmdump
{

namespace
{

struct Character {
    char32_t code = 0;
    std::size_t length = 0; ///< in bytes; 0: not valid UTF-8
};

/// The first character of `bytes`, which must not be empty (RFC 3629, section 4).
Character first_character(std::string_view bytes)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) {
        return {};
    }
    char32_t code = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((at(i) & 0xc0) != 0x80) {
            return {};
        }
        code = code << 6 | (at(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest[length] || code > 0x10ffff || surrogate ? Character{} : Character{code, length};
}

/// False for the Unicode categories Cc, Cf, Zl, Zp and Co, for invisible fillers and for noncharacters. A
/// tab counts as printable.
bool is_printable(char32_t code)
{
    struct Range {
        char32_t first;
        char32_t last;
    };
    constexpr std::array<Range, 27> ranges = {
        {{0x00, 0x08},       {0x0a, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
         {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
         {0x115f, 0x1160},   {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
         {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
         {0xfff0, 0xfffb},   {0x110bd, 0x110cd}, {0x13430, 0x1345f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
         {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff}}};
    return (code & 0xfffe) != 0xfffe && std::none_of(ranges.begin(), ranges.end(), [&](const Range& range) {
               return code >= range.first && code <= range.last;
           });
}

} // namespace

std::string escape(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const Character character = first_character(bytes);
        const std::size_t length = std::max<std::size_t>(character.length, 1);
        if (bytes.front() == '\\') {
            text += "\\\\";
        } else if (character.length > 0 && is_printable(character.code)) {
            text += bytes.substr(0, length);
        } else {
            for (const char c : bytes.substr(0, length)) {
                const auto byte = static_cast<unsigned char>(c);
                text += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
            }
        }
        bytes.remove_prefix(length);
    }
    return text;
}

bool is_utf8(std::string_view bytes)
{
    while (!bytes.empty()) {
        const Character character = first_character(bytes);
        if (character.length == 0) {
            return false;
        }
        bytes.remove_prefix(character.length);
    }
    return true;
}

} // namespace kmdump
