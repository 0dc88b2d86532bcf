// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/region_list.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace kmd
{

namespace
{

using Entry = std::array<std::byte, KMD_LIST_STRIDE_VALUE>;

/// Reads one entry, which may be split between two blocks of RAM.
bool read_entry(GuestMemory& memory, std::uint64_t phys, Entry& entry)
{
    for (std::size_t done = 0; done < entry.size();) {
        const auto run = memory.map(phys + done, entry.size() - done);
        if (run.empty()) {
            return false;
        }
        std::memcpy(entry.data() + done, run.data(), run.size());
        done += run.size();
    }
    return true;
}

std::uint64_t field(const Entry& entry, kmd_list_field offset)
{
    std::uint64_t value = 0;
    std::memcpy(&value, entry.data() + offset, sizeof(value));
    return value;
}

void read_entries(const Region& list, GuestMemory& memory, ListedRegions& listed)
{
    const std::uint64_t entries = list.size / KMD_LIST_STRIDE_VALUE;
    listed.cut = entries > KMD_LIST_ENTRIES_MAX;
    const auto count = std::min<std::uint64_t>(entries, KMD_LIST_ENTRIES_MAX);
    for (std::uint64_t i = 0; i < count; ++i) {
        Entry entry;
        if (!read_entry(memory, list.phys + i * KMD_LIST_STRIDE_VALUE, entry)) {
            return;
        }
        Region region;
        region.phys = field(entry, KMD_LIST_PHYS);
        region.virt = field(entry, KMD_LIST_VIRT);
        region.size = field(entry, KMD_LIST_SIZE);
        if (region.size == 0) {
            continue;
        }
        if (check_range(region, memory) == KMD_SLOT_OK) {
            listed.regions.push_back(region);
        } else {
            ++listed.rejected;
        }
    }
}

} // namespace

ListedRegions read_list(const Region* list, GuestMemory& memory)
{
    ListedRegions listed;
    if (list != nullptr) {
        read_entries(*list, memory, listed);
    }
    return listed;
}

} // namespace kmd
