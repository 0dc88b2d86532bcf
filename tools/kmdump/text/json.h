// SPDX-License-Identifier: GPL-2.0-or-later
//
// The output of --json, which docs/kmdump.md describes.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

using Json = nlohmann::ordered_json;

/// The members that every document starts with.
Json json_document(const std::string& command, const std::string& dump);

/// The text of a document, in ASCII, without a final newline. Without `indent` it is one line.
std::string json_text(const Json& json, bool indent = true);

/// Writes a document with long lists one item a line, without keeping the items in memory.
class JsonStream
{
  public:
    /// `head`: the document without its lists. `out` must outlive this object.
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

/// A 64-bit number as a string: JSON numbers are exact only up to 2^53.
std::string json_address(std::uint64_t address);

template <class T> Json json_or_null(const std::optional<T>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

} // namespace kmdump
