// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/report/json_text.h"

#include <nlohmann/json.hpp>

namespace kmd
{

std::string json_string(const std::string& text)
{
    return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string json_ascii(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + '"';
}

void JsonMembers::add_json(std::string_view name, std::string_view json)
{
    text_ += text_.empty() ? "" : ",";
    text_ += lines_ ? "\n " : "";
    text_ += json_ascii(name);
    text_ += lines_ ? ": " : ":";
    text_ += json;
}

} // namespace kmd
