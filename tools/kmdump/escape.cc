// SPDX-License-Identifier: GPL-2.0-or-later
#include "escape.h"

namespace kmdump
{

std::string escape(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\t' || (byte >= 0x20 && byte < 0x7f)) {
            text += c;
        } else {
            text += "\\x";
            text += digits[byte / 16];
            text += digits[byte % 16];
        }
    }
    return text;
}

} // namespace kmdump
