// SPDX-License-Identifier: GPL-2.0-or-later
//
// What lies where in a dump: the guest's regions, and what else is there.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// Kinds of memory that is in no region. With a list of the guest's nothing tells what it named from what the
/// host added.
inline constexpr const char* kAdded = "added";
inline constexpr const char* kListedOrAdded = "listed or added";

/// A piece of memory that has a name of its own, or a run of memory that has none.
struct Content {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0; ///< bytes
    /// Nothing when not all of it is in the dump.
    std::optional<std::uint64_t> file_offset;
    std::string name;                ///< of the region; empty for what is in none
    std::string kind;                ///< of the region, else kAdded, kListedOrAdded or "segment"
    std::optional<std::uint64_t> id; ///< the guest's number of the region
    std::string status;              ///< why a region is not in the dump; empty when it is
};

/// In the order of physical addresses. With a sidecar: its regions, and what no region covers. Without:
/// the segments.
std::vector<Content> list_contents(const CoreFile& core, const std::optional<Sidecar>& sidecar);

/// Where in the file `size` bytes at a physical address lie in one piece.
std::optional<std::uint64_t> find_in_file(const CoreFile& core, std::uint64_t phys, std::uint64_t size);

} // namespace kmdump
