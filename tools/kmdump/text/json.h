// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the commands write with --json: docs/kmdump.md describes it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

using Json = nlohmann::ordered_json;

/// The members that every document begins with.
Json json_document(const std::string& command, const std::string& dump);

/// The text of a document, pure ASCII. Without `indent` it is one line. There is no line end after it.
std::string json_text(const Json& json, bool indent = true);

/// A document whose lists can be long: an item a line, and none of them kept.
class JsonStream
{
  public:
    /// `head`: the document without its lists. `out` must live longer.
    JsonStream(const Json& head, std::ostream& out);

    void begin_list(const std::string& name);
    void add(const Json& item);
    void end_list();

    /// Ends the document.
    void end();

  private:
    std::ostream* out_;
    const char* separator_ = "";
};

/// An address or another number of 64 bits, as text: JSON's own numbers are exact up to 2^53 only.
std::string json_address(std::uint64_t address);

template <class T> Json json_or_null(const std::optional<T>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

} // namespace kmdump
