// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/text/json.h"

#include "common/text.h"

namespace kmdump
{

namespace
{

/// Version of the documents; incremented when a member changes its meaning.
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

JsonStream::JsonStream(const Json& head, std::ostream& out) : out_(&out)
{
    std::string text = json_text(head, false);
    text.pop_back();
    *out_ << text;
}

void JsonStream::begin_list(const std::string& name)
{
    *out_ << ",\"" << name << "\":[";
    separator_ = "\n";
}

void JsonStream::add(const Json& item)
{
    *out_ << separator_ << json_text(item, false);
    separator_ = ",\n";
}

void JsonStream::end_list()
{
    *out_ << "\n]";
}

void JsonStream::end()
{
    *out_ << "}\n";
}

std::string json_address(std::uint64_t address)
{
    return kmd::hex(address);
}

} // namespace kmdump
