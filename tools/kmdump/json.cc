// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include "text.h"

namespace kmdump
{

namespace
{

/// Of the documents; grows when a member changes its meaning.
constexpr int kVersion = 1;

} // namespace

Json json_document(const std::string& command, const std::string& dump)
{
    return {{"kmdump", kVersion}, {"command", command}, {"dump", dump}};
}

std::string json_text(const Json& json, bool indent)
{
    return json.dump(indent ? 2 : -1, ' ', true, Json::error_handler_t::replace);
}

std::string json_address(std::uint64_t address)
{
    return kmd::hex(address);
}

} // namespace kmdump
