// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/text/json_bounds.h"

#include <algorithm>
#include <string>

namespace kmdump
{

void JsonBounds::feed(char c)
{
    ++token_;
    if (in_text_) {
        if (!escaped_ && c == '"') {
            in_text_ = false;
        }
        escaped_ = !escaped_ && c == '\\';
        return;
    }
    switch (c) {
    case '"':
        in_text_ = true;
        break;
    case '[':
    case '{':
        deepest_ = std::max(deepest_, ++depth_);
        ++values_;
        token_ = 0;
        break;
    case ']':
    case '}':
        depth_ -= depth_ > 0 ? 1 : 0;
        token_ = 0;
        break;
    case ',':
    case ':':
        ++values_;
        token_ = 0;
        break;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        token_ = 0;
        break;
    default:
        break;
    }
}

std::optional<kmd::Error> JsonBounds::feed(std::string_view text)
{
    for (const char c : text) {
        feed(c);
        longest_ = std::max(longest_, token_);
    }
    if (deepest_ > limits_.depth) {
        return kmd::Error{"expected JSON that nests at most " + std::to_string(limits_.depth) + " deep"};
    }
    if (values_ > limits_.values) {
        return kmd::Error{"expected JSON of at most " + std::to_string(limits_.values) + " values"};
    }
    if (longest_ > limits_.token_bytes) {
        return kmd::Error{"expected JSON with texts of at most " + std::to_string(limits_.token_bytes) +
                          " bytes"};
    }
    return std::nullopt;
}

} // namespace kmdump
