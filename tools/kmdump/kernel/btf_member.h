// SPDX-License-Identifier: GPL-2.0-or-later
//
// Members of structures in BTF, by libbpf. It checks that types and names are inside the description, but not
// that they make sense: a structure can contain itself, and a name can be megabytes long.
#pragma once

#include <bpf/btf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace kmdump
{

struct BtfFree {
    void operator()(btf* types) const { btf__free(types); }
};
using BtfHandle = std::unique_ptr<btf, BtfFree>;

/// Longer than KSYM_NAME_LEN of the kernel.
constexpr std::size_t kLongestBtfName = 512;

/// The name at an offset, cut after kLongestBtfName bytes; empty if there is none.
std::string btf_name(const btf* types, std::uint32_t offset);

/// The type without typedefs and qualifiers; 0 if there is none.
std::uint32_t plain_type(const btf* types, std::uint32_t type);

struct BtfMember {
    std::uint32_t type = 0;
    std::uint64_t offset = 0; ///< bits
    std::uint32_t bits = 0;   ///< of a bit field; else 0
};

/// A member of the structure or union number `structure`, or of an anonymous one inside it. Nothing if there
/// is none, or if the search looks at more members than any kernel's structure has.
std::optional<BtfMember> find_btf_member(const btf* types, std::uint32_t structure, const std::string& name);

} // namespace kmdump
