// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lists the memory in a dump: the guest's regions and everything else.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// Kinds of memory outside regions. If the guest gave a list, its memory cannot be told from what the host
/// added.
inline constexpr const char* kAdded = "added";
inline constexpr const char* kListedOrAdded = "listed or added";

/// A region, or a run of memory outside regions.
struct Content {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0; ///< bytes
    /// Nothing if it is not completely in the dump.
    std::optional<std::uint64_t> file_offset;
    std::string name;                ///< of the region; empty outside regions
    std::string kind;                ///< of the region; else kAdded, kListedOrAdded or "segment"
    std::optional<std::uint64_t> id; ///< the guest's identifier of the region
    std::string status;              ///< why it is not in the dump; empty if it is
};

/// In the order of physical addresses. With a sidecar: its regions and the memory outside them. Without one:
/// the segments.
std::vector<Content> list_contents(const CoreFile& core, const std::optional<Sidecar>& sidecar);

/// The file offset of `size` bytes at a physical address. Nothing if they are not in one extent.
std::optional<std::uint64_t> find_in_file(const CoreFile& core, std::uint64_t phys, std::uint64_t size);

} // namespace kmdump
