// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/html.h"

#include "kmdump/kernel/log_text.h"
#include "kmdump/text/escape.h"

namespace kmdump
{

namespace
{

void append_line(std::string& text, std::string_view line)
{
    for (const char c : escape(line)) {
        switch (c) {
        case '&':
            text += "&amp;";
            break;
        case '<':
            text += "&lt;";
            break;
        case '>':
            text += "&gt;";
            break;
        case '"':
            text += "&quot;";
            break;
        case '\'':
            text += "&#39;";
            break;
        default:
            text += c;
        }
    }
}

} // namespace

std::string html(std::string_view bytes)
{
    std::string text;
    const char* separator = "";
    for (const auto line : split_lines(bytes)) {
        text += separator;
        append_line(text, line);
        separator = "\n";
    }
    return text;
}

} // namespace kmdump
