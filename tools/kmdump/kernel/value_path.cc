// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/value_path.h"

#include "common/text.h"
#include "kmdump/text/number.h"

#include <bpf/btf.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/// Takes the parts of an expression from its beginning.
class Scanner
{
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool take(std::string_view word)
    {
        const bool found = rest_.starts_with(word);
        rest_.remove_prefix(found ? word.size() : 0);
        return found;
    }

    std::string_view name()
    {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_name_character);
        const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(found.size());
        return found;
    }

    bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

const btf_type* type_at(const Types& types, std::uint32_t id)
{
    return btf__type_by_id(types.handle.get(), id);
}

/// Follows an expression, step by step.
class Walker
{
  public:
    Walker(const ValueSource& source, ValuePlace place, std::string shown)
        : types_(source.types), memory_(source.dump.memory()), place_(place), shown_(std::move(shown))
    {
    }

    std::optional<kmd::Error> follow_pointer()
    {
        const std::uint32_t id = plain_type(types_, place_.type);
        const btf_type* const type = type_at(types_, id);
        if (id == 0 || type == nullptr || !btf_is_ptr(type)) {
            return kmd::Error{shown_ + " is not a pointer: it is " + quoted_type()};
        }
        const auto address = memory_.read_u64(place_.address);
        if (!address) {
            return kmd::Error{"the dump does not have " + shown_ + ", which is at " +
                              kmd::hex(place_.address)};
        }
        if (*address == 0) {
            return kmd::Error{shown_ + " is a null pointer"};
        }
        place_ = {*address, type->type, 0, 0};
        return std::nullopt;
    }

    std::optional<kmd::Error> to_member(const std::string& name)
    {
        if (is_pointer()) {
            if (auto error = follow_pointer()) {
                return error;
            }
        }
        const auto found = find_btf_member(types_.handle.get(), plain_type(types_, place_.type), name);
        if (!found) {
            return kmd::Error{quoted_type() + ", the type of " + shown_ + ", has no member '" +
                              kmd::printable(name) + "'"};
        }
        const auto first_bit = static_cast<std::uint32_t>(found->bits > 0 ? found->offset % 8 : 0);
        place_ = {place_.address + found->offset / 8, found->type, found->bits, first_bit};
        shown_ += "." + name;
        return std::nullopt;
    }

    std::optional<kmd::Error> to_element(std::uint64_t index)
    {
        const std::uint32_t id = plain_type(types_, place_.type);
        const btf_type* const type = type_at(types_, id);
        if (is_pointer()) {
            if (auto error = follow_pointer()) {
                return error;
            }
        } else if (id != 0 && type != nullptr && btf_is_array(type)) {
            const struct btf_array& array = *btf_array(type);
            if (array.nelems > 0 && index >= array.nelems) {
                return kmd::Error{shown_ + " has elements 0 to " + std::to_string(array.nelems - 1) +
                                  ": there is no " + std::to_string(index)};
            }
            place_.type = array.type;
        } else {
            return kmd::Error{shown_ + " has no elements: it is " + quoted_type()};
        }
        place_.address += type_size(types_, place_.type) * index;
        shown_ += "[" + std::to_string(index) + "]";
        return std::nullopt;
    }

    const ValuePlace& place() const { return place_; }

  private:
    /// For a message; the name is the guest's.
    std::string quoted_type() const { return "'" + kmd::printable(type_name(types_, place_.type)) + "'"; }

    bool is_pointer() const
    {
        const std::uint32_t id = plain_type(types_, place_.type);
        const btf_type* const type = type_at(types_, id);
        return id != 0 && type != nullptr && btf_is_ptr(type);
    }

    const Types& types_;
    KernelMemory memory_;
    ValuePlace place_;
    /// The expression so far, for messages.
    std::string shown_;
};

} // namespace

kmd::Result<ValuePath> parse_value_path(const std::string& text)
{
    const auto wrong = [&](const std::string& what) {
        return kmd::Error{"expected " + what + " in '" + kmd::printable(text) + "'"};
    };
    ValuePath path;
    Scanner scanner(text);
    while (scanner.take("*")) {
        ++path.stars;
    }
    path.base = scanner.name();
    if (path.base.empty()) {
        return wrong("a symbol, or an address such as 0xffff800080000000, first");
    }
    while (!scanner.at_end()) {
        if (path.steps.size() + path.stars >= kMostSteps) {
            return wrong("at most " + std::to_string(kMostSteps) + " steps");
        }
        if (scanner.take("[")) {
            const auto index = parse_decimal(scanner.name());
            if (!index || !scanner.take("]")) {
                return wrong("a decimal number and ']' after '['");
            }
            path.steps.push_back({"", *index});
        } else if (scanner.take(".") || scanner.take("->")) {
            const std::string_view member = scanner.name();
            if (member.empty()) {
                return wrong("the name of a member after '.' and '->'");
            }
            path.steps.push_back({std::string(member), 0});
        } else {
            return wrong("'.', '->' or '[' after a name");
        }
    }
    if (path.stars > kMostSteps) {
        return wrong("at most " + std::to_string(kMostSteps) + " steps");
    }
    return path;
}

kmd::Result<ValuePlace> find_value(const ValueSource& source, const ValuePath& path, const std::string& type,
                                   std::optional<std::uint64_t> cpu)
{
    const auto base = find_base(source, path.base, type, cpu);
    if (!base) {
        return base.error();
    }
    Walker walker(source, base.value(), path.base);
    for (const ValuePath::Step& step : path.steps) {
        if (auto error =
                step.member.empty() ? walker.to_element(step.index) : walker.to_member(step.member)) {
            return *error;
        }
    }
    for (unsigned i = 0; i < path.stars; ++i) {
        if (auto error = walker.follow_pointer()) {
            return *error;
        }
    }
    return walker.place();
}

} // namespace kmdump
