// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the members of the kernel's structures lie, out of the type information of a vmlinux file.
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

/// A member of a structure, of the structure itself or of an anonymous one inside.
struct MemberName {
    std::string structure;
    std::string member;

    bool operator==(const MemberName&) const = default;
    friend bool operator<(const MemberName& a, const MemberName& b)
    {
        return std::tie(a.structure, a.member) < std::tie(b.structure, b.member);
    }
};

/// Offsets in bytes. A member that the kernel does not have is not in it.
using MemberOffsets = std::map<MemberName, std::uint64_t>;

/// Looks the members up in the vmlinux file at `path`: in its BTF if it has any, else in its DWARF. A file of
/// another kernel than that of `vmcoreinfo` is an error.
kmd::Result<MemberOffsets> read_member_offsets(const std::string& path, const std::vector<MemberName>& wanted,
                                               const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
