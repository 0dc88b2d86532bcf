// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions of kind LIST (register specification, section 5.2): the guest keeps further regions in its own
// memory, as many as it likes and as they come.
#pragma once

#include "hw/mmio/region_table.h"
#include "hw/snapshot/guest_memory.h"

#include <cstdint>
#include <span>
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

/// Reads the list among `regions`. Empty when there is none in RAM.
ListedRegions read_list(std::span<const Region> regions, GuestMemory& memory);

} // namespace kmd
