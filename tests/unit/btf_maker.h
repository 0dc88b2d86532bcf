// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes BTF, by Documentation/bpf/btf.rst of Linux.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace kmd::test
{

class BtfMaker
{
  public:
    struct Member {
        std::string name;
        std::uint32_t type = 0;
        std::uint32_t offset = 0; ///< bytes
    };

    /// Each returns the id of the type.
    std::uint32_t integer(std::uint32_t size) { return type("int", 1, 0, size, {0}); }
    std::uint32_t pointer() { return type("", 2, 0, 0, {}); }
    std::uint32_t array(std::uint32_t of, std::uint32_t count) { return type("", 3, 0, 0, {of, of, count}); }
    std::uint32_t type_definition(std::uint32_t of) { return type("alias", 8, 0, of, {}); }
    std::uint32_t structure(const std::string& name, std::uint32_t size, const std::vector<Member>& members)
    {
        return with_members(name, 4, size, members);
    }
    std::uint32_t anonymous_union(std::uint32_t size, const std::vector<Member>& members)
    {
        return with_members("", 5, size, members);
    }
    std::uint32_t enumeration(const std::string& name,
                              const std::vector<std::pair<std::string, std::int32_t>>& values)
    {
        std::vector<std::uint32_t> words;
        for (const auto& [value_name, value] : values) {
            words.push_back(name_of(value_name));
            words.push_back(static_cast<std::uint32_t>(value));
        }
        return type(name, 6, static_cast<std::uint32_t>(values.size()), 4, words);
    }
    /// A type of any kind, with the words that follow it.
    std::uint32_t type(const std::string& name, std::uint32_t kind, std::uint32_t count, std::uint32_t size,
                       const std::vector<std::uint32_t>& words)
    {
        types_.insert(types_.end(), {name_of(name), kind << 24 | count, size});
        types_.insert(types_.end(), words.begin(), words.end());
        return ++last_;
    }

    /// The offset of a name, for the words of a type.
    std::uint32_t name_of(const std::string& name)
    {
        if (name.empty()) {
            return 0;
        }
        const auto at = static_cast<std::uint32_t>(names_.size());
        names_ += name + '\0';
        return at;
    }

    std::vector<std::byte> make() const
    {
        const auto type_bytes = static_cast<std::uint32_t>(4 * types_.size());
        const std::uint32_t header[] = {0x0001eb9f, 24,         0,
                                        type_bytes, type_bytes, static_cast<std::uint32_t>(names_.size())};
        std::vector<std::byte> bytes(sizeof(header) + type_bytes + names_.size());
        std::memcpy(bytes.data(), header, sizeof(header));
        std::memcpy(bytes.data() + sizeof(header), types_.data(), type_bytes);
        std::memcpy(bytes.data() + sizeof(header) + type_bytes, names_.data(), names_.size());
        return bytes;
    }

  private:
    std::uint32_t with_members(const std::string& name, std::uint32_t kind, std::uint32_t size,
                               const std::vector<Member>& members)
    {
        std::vector<std::uint32_t> words;
        for (const Member& member : members) {
            words.insert(words.end(), {name_of(member.name), member.type, 8 * member.offset});
        }
        return type(name, kind, static_cast<std::uint32_t>(members.size()), size, words);
    }

    std::vector<std::uint32_t> types_;
    std::string names_ = std::string(1, '\0');
    std::uint32_t last_ = 0;
};

} // namespace kmd::test
