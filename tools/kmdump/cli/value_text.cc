// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/value_text.h"

#include "common/text.h"
#include "kmdump/text/escape.h"

#include <string>

namespace kmdump
{

namespace
{

constexpr std::size_t kIndent = 4;
constexpr std::uint64_t kLargestExact = std::uint64_t{1} << 53;

std::string pointer_text(const Pointer& pointer, const Symbols& symbols)
{
    const auto place = symbols.find(pointer.address);
    return kmd::hex(pointer.address) + (place ? " " + escape(format_place(*place)) : "");
}

/// A leaf as C would have it.
struct LeafText {
    const Symbols& symbols;
    bool is_text;

    std::string operator()(std::monostate) const { return "(not in the dump)"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(std::uint64_t number) const
    {
        constexpr std::uint64_t kLargeNumber = 1 << 20;
        return number < kLargeNumber ? std::to_string(number) : kmd::hex(number);
    }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(const std::string& text) const
    {
        return is_text ? "\"" + escape(text) + "\"" : escape(text);
    }
    std::string operator()(const Pointer& pointer) const { return pointer_text(pointer, symbols); }
};

struct LeafJson {
    const Symbols& symbols;

    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(std::int64_t number) const
    {
        const bool exact = number < 0 ? number > -static_cast<std::int64_t>(kLargestExact)
                                      : static_cast<std::uint64_t>(number) < kLargestExact;
        return exact ? Json(number) : Json(std::to_string(number));
    }
    Json operator()(std::uint64_t number) const
    {
        return number < kLargestExact ? Json(number) : Json(kmd::hex(number));
    }
    Json operator()(bool flag) const { return flag; }
    Json operator()(const std::string& text) const { return escape(text); }
    Json operator()(const Pointer& pointer) const { return pointer_text(pointer, symbols); }
};

std::string leaf_text(const TypedValue& value, const Symbols& symbols)
{
    return std::visit(LeafText{symbols, value.type.ends_with(']')}, value.leaf);
}

class Printer
{
  public:
    Printer(const Symbols& symbols, std::ostream& out) : symbols_(symbols), out_(out) {}

    void print(const TypedValue& value, std::size_t depth)
    {
        if (value.kind == TypedValue::Kind::kLeaf) {
            out_ << leaf_text(value, symbols_);
            return;
        }
        const bool short_list = value.kind == TypedValue::Kind::kElements && has_only_leaves(value);
        if (depth == 0) {
            out_ << "(" << escape(value.type) << ") ";
        }
        out_ << "{" << (short_list ? "" : "\n");
        for (std::size_t i = 0; i < value.parts.size(); ++i) {
            if (short_list) {
                out_ << (i == 0 ? "" : ", ");
                print(value.parts[i], depth + 1);
            } else {
                print_part(value.parts[i], depth + 1);
            }
        }
        if (value.left_out > 0) {
            out_ << (short_list ? ", " : indent(depth + 1)) << "... " << value.left_out << " more"
                 << (short_list ? "" : "\n");
        }
        out_ << (short_list ? "" : indent(depth)) << "}";
    }

  private:
    static std::string indent(std::size_t depth) { return std::string(depth * kIndent, ' '); }

    static bool has_only_leaves(const TypedValue& value)
    {
        for (const TypedValue& part : value.parts) {
            if (part.kind != TypedValue::Kind::kLeaf) {
                return false;
            }
        }
        return true;
    }

    void print_part(const TypedValue& part, std::size_t depth)
    {
        out_ << indent(depth);
        if (!part.name.empty()) {
            out_ << "." << escape(part.name) << " = ";
        }
        if (part.kind != TypedValue::Kind::kLeaf) {
            out_ << "(" << escape(part.type) << ") ";
        }
        print(part, depth);
        out_ << ",\n";
    }

    const Symbols& symbols_;
    std::ostream& out_;
};

/// Members of an anonymous structure or union are those of the structure around it, as in C.
void add_members(Json& object, const TypedValue& value, const Symbols& symbols)
{
    for (const TypedValue& part : value.parts) {
        if (part.name.empty() && part.kind == TypedValue::Kind::kMembers) {
            add_members(object, part, symbols);
        } else if (!part.name.empty()) {
            object[escape(part.name)] = value_json(part, symbols);
        }
    }
    if (value.left_out > 0) {
        object["..."] = value.left_out;
    }
}

} // namespace

void print_value(const TypedValue& value, const Symbols& symbols, std::ostream& out)
{
    if (value.kind == TypedValue::Kind::kLeaf) {
        out << "(" << escape(value.type) << ") ";
    }
    Printer(symbols, out).print(value, 0);
    out << "\n";
}

Json value_json(const TypedValue& value, const Symbols& symbols)
{
    if (value.kind == TypedValue::Kind::kLeaf) {
        return std::visit(LeafJson{symbols}, value.leaf);
    }
    if (value.kind == TypedValue::Kind::kMembers) {
        Json object = Json::object();
        add_members(object, value, symbols);
        return object;
    }
    Json list = Json::array();
    for (const TypedValue& part : value.parts) {
        list.push_back(value_json(part, symbols));
    }
    if (value.left_out > 0) {
        list.push_back("... " + std::to_string(value.left_out) + " more");
    }
    return list;
}

} // namespace kmdump
