// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/memory/region.h"

#include <limits>
#include <utility>

namespace kmd
{

namespace
{

bool wraps(std::uint64_t address, std::uint64_t size)
{
    return size - 1 > std::numeric_limits<std::uint64_t>::max() - address;
}

} // namespace

std::string printable_name(const Region& region)
{
    std::string name;
    for (const char c : region.name) {
        if (c == '\0') {
            break;
        }
        name += c >= ' ' && c <= '~' ? c : '?';
    }
    return name;
}

kmd_slot_status check_addresses(const Region& region)
{
    if (region.size == 0) {
        return KMD_SLOT_BAD_SIZE;
    }
    return wraps(region.phys, region.size) || wraps(region.virt, region.size) ? KMD_SLOT_WRAPS : KMD_SLOT_OK;
}

kmd_slot_status check_range(const Region& region, GuestMemory& memory)
{
    if (const auto status = check_addresses(region); status != KMD_SLOT_OK) {
        return status;
    }
    if (region.freed) {
        return KMD_SLOT_FREED;
    }
    return is_ram(memory, region.phys, region.size) ? KMD_SLOT_OK : KMD_SLOT_NOT_RAM;
}

CheckedRegions::CheckedRegions(std::vector<Region> regions, GuestMemory& memory)
    : regions_(std::move(regions))
{
    statuses_.reserve(regions_.size());
    for (const Region& region : regions_) {
        statuses_.push_back(check_range(region, memory));
    }
}

const Region* CheckedRegions::find(kmd_kind kind) const
{
    for (std::size_t i = 0; i < regions_.size(); ++i) {
        if (regions_[i].kind == kind && is_ram(i)) {
            return &regions_[i];
        }
    }
    return nullptr;
}

} // namespace kmd
