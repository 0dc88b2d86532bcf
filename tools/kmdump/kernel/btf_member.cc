// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/btf_member.h"

#include <cstring>

namespace kmdump
{

namespace
{

/// Typedefs and qualifiers of one type; nesting of anonymous structures.
constexpr unsigned kDeepest = 32;
constexpr std::uint32_t kMostMembers = 500'000;

std::optional<BtfMember> find_in(const btf* types, std::uint32_t structure, const std::string& wanted,
                                 unsigned depth, std::uint32_t& members_left)
{
    const btf_type* const type = btf__type_by_id(types, structure);
    if (structure == 0 || type == nullptr || !btf_is_composite(type) || depth > kDeepest) {
        return std::nullopt;
    }
    const btf_member* const members = btf_members(type);
    for (std::uint32_t i = 0; i < btf_vlen(type) && members_left > 0; ++i) {
        --members_left;
        const char* const name = btf__name_by_offset(types, members[i].name_off);
        const std::uint64_t offset = btf_member_bit_offset(type, i);
        // Without the length of the name, which costs as much as it is long.
        if (name != nullptr && std::strcmp(name, wanted.c_str()) == 0) {
            return BtfMember{members[i].type, offset, btf_member_bitfield_size(type, i)};
        }
        if (name == nullptr || name[0] == '\0') {
            const std::uint32_t inner = plain_type(types, members[i].type);
            if (auto found = find_in(types, inner, wanted, depth + 1, members_left)) {
                found->offset += offset;
                return found;
            }
        }
    }
    return std::nullopt;
}

} // namespace

std::string btf_name(const btf* types, std::uint32_t offset)
{
    const char* const name = btf__name_by_offset(types, offset);
    return name == nullptr ? "" : std::string(name, ::strnlen(name, kLongestBtfName));
}

std::uint32_t plain_type(const btf* types, std::uint32_t type)
{
    for (unsigned depth = 0; depth < kDeepest; ++depth) {
        const btf_type* const found = btf__type_by_id(types, type);
        if (type == 0 || found == nullptr) {
            return 0;
        }
        if (!btf_is_mod(found) && !btf_is_typedef(found) && !btf_is_type_tag(found)) {
            return type;
        }
        type = found->type;
    }
    return 0;
}

std::optional<BtfMember> find_btf_member(const btf* types, std::uint32_t structure, const std::string& name)
{
    std::uint32_t members_left = kMostMembers;
    return find_in(types, structure, name, 0, members_left);
}

} // namespace kmdump
