// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions of kind LIST (register specification, section 5.2): the guest keeps further regions in its own
// memory, as many as it likes and as they come.
#pragma once

#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstdint>
#include <vector>

namespace kmd
{

struct ListedRegions {
    /// All of them RAM, in the order of the list.
    std::vector<Region> regions;
    /// Entries that describe no RAM.
    std::uint32_t rejected = 0;
    /// The list is longer than any may be; the rest was not read.
    bool cut = false;
};

/// Reads the list that a region, which is RAM, holds. Empty when `list` is null.
ListedRegions read_list(const Region* list, GuestMemory& memory);

} // namespace kmd
