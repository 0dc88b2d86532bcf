// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions of kind LIST (register specification, section 5.2): a list in guest memory of further regions,
// which the guest can change at any time.
#pragma once

#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstdint>
#include <vector>

namespace kmd
{

struct ListedRegions {
    /// Regions that are RAM, in the order of the list.
    std::vector<Region> regions;
    /// Number of entries that are not RAM.
    std::uint32_t rejected = 0;
    /// The list has more than KMD_LIST_ENTRIES_MAX entries; the rest was not read.
    bool cut = false;
};

/// Reads the list in a region that is RAM. Empty if `list` is null.
ListedRegions read_list(const Region* list, GuestMemory& memory);

} // namespace kmd
