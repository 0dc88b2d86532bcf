// SPDX-License-Identifier: GPL-2.0-or-later
//
// What kmdump may put on a terminal, whatever a guest wrote: text in UTF-8, and nothing that moves, hides or
// turns it.
#pragma once

#include <algorithm>
#include <clocale>
#include <cstddef>
#include <cstring>
#include <cwchar>
#include <cwctype>
#include <string>

namespace kmdump_test
{

/// By the C library's tables, which know nothing of those of kmdump.
inline bool is_plain_text(const std::string& text)
{
    static const bool utf8 = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
    std::mbstate_t state{};
    for (std::size_t at = 0; at < text.size();) {
        wchar_t character = 0;
        const std::size_t length = std::mbrtowc(&character, text.data() + at, text.size() - at, &state);
        if (!utf8 || length == 0 || length > text.size() - at) {
            return false;
        }
        const bool turns = (character >= 0x200b && character <= 0x200f) ||
                           (character >= 0x2028 && character <= 0x202e) ||
                           (character >= 0x2060 && character <= 0x206f) || character == 0xfeff;
        if (character != L'\n' && character != L'\t' &&
            (turns || std::iswcntrl(static_cast<std::wint_t>(character)) != 0)) {
            return false;
        }
        at += length;
    }
    return true;
}

} // namespace kmdump_test
