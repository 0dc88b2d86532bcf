// SPDX-License-Identifier: GPL-2.0-or-later
//
// Builds JSON as text. The destructor of a tree of JSON values allocates memory, so a host without memory
// would abort in the middle of a dump.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace kmd
{

/// Quotes any text, such as a host path, as ASCII. Invalid UTF-8 is replaced.
std::string json_string(const std::string& text);

/// The same for printable ASCII only; faster.
std::string json_ascii(std::string_view text);

/// Layout of the members of an object.
enum class JsonStyle { kOneLine, kLines };

/// The members of an object, in the order in which they were added. Names are printable ASCII.
class JsonMembers
{
  public:
    explicit JsonMembers(JsonStyle style) : lines_(style == JsonStyle::kLines) {}

    void add(std::string_view name, std::uint64_t number) { add_json(name, std::to_string(number)); }
    void add(std::string_view name, const std::string& text) { add_json(name, json_string(text)); }
    void add_bool(std::string_view name, bool value) { add_json(name, value ? "true" : "false"); }
    void add_json(std::string_view name, std::string_view json);

    /// The whole object.
    std::string object() const { return "{" + text_ + "}"; }
    /// Only the members, for an object that continues.
    std::string take() { return std::move(text_); }

  private:
    bool lines_;
    std::string text_;
};

/// An array of the results of `json_of` for each item.
template <class Range, class Function> std::string json_list(const Range& range, const Function& json_of)
{
    std::string list = "[";
    for (const auto& item : range) {
        list += list.size() == 1 ? "" : ",";
        list += json_of(item);
    }
    return list + "]";
}

} // namespace kmd
