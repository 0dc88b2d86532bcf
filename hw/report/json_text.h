// SPDX-License-Identifier: GPL-2.0-or-later
//
// JSON as text. A tree of values would do as well, but its destructor takes memory: a host that has none left
// would end there, in the middle of a dump.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace kmd
{

/// Any text, a path of the host for example, quoted and as ASCII. What is no UTF-8 is replaced.
std::string json_string(const std::string& text);

/// The same of printable ASCII, for those who have many.
std::string json_ascii(std::string_view text);

/// How the members of an object are laid out.
enum class JsonStyle { kOneLine, kLines };

/// The members of an object, in the order in which they are added. Names are printable ASCII.
class JsonMembers
{
  public:
    explicit JsonMembers(JsonStyle style) : lines_(style == JsonStyle::kLines) {}

    void add(std::string_view name, std::uint64_t number) { add_json(name, std::to_string(number)); }
    void add(std::string_view name, const std::string& text) { add_json(name, json_string(text)); }
    void add_truth(std::string_view name, bool truth) { add_json(name, truth ? "true" : "false"); }
    void add_json(std::string_view name, std::string_view json);

    /// The whole object.
    std::string object() const { return "{" + text_ + "}"; }
    /// The members alone, for an object that goes on.
    std::string take() { return std::move(text_); }

  private:
    bool lines_;
    std::string text_;
};

/// An array of what `json_of` makes of each item.
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
