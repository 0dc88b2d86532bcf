// SPDX-License-Identifier: GPL-2.0-or-later
//
// Offsets of structure members, from the type information of a vmlinux file.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace kmdump
{

/// A member of a structure or of an anonymous structure or union inside it.
struct MemberName {
    std::string structure;
    std::string member;

    bool operator==(const MemberName&) const = default;
    friend bool operator<(const MemberName& a, const MemberName& b)
    {
        return std::tie(a.structure, a.member) < std::tie(b.structure, b.member);
    }
};

/// Offsets in bytes. Members that the kernel does not have are absent.
using MemberOffsets = std::map<MemberName, std::uint64_t>;

/// Looks the members up in the vmlinux file at `path`: in its BTF if it has any, else in its DWARF. An error
/// if the file is not of the kernel of `vmcoreinfo`.
kmd::Result<MemberOffsets> read_member_offsets(const std::string& path, const std::vector<MemberName>& wanted,
                                               const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
