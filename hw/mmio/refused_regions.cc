// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/refused_regions.h"

#include <algorithm>

namespace kmd
{

namespace
{

bool same(const Region& a, const Region& b)
{
    return a.phys == b.phys && a.virt == b.virt && a.size == b.size && a.name == b.name && a.kind == b.kind;
}

} // namespace

void RefusedRegions::refused(const Region& region, kmd_slot_status status)
{
    const auto known = std::find_if(listed_.begin(), listed_.end(),
                                    [&](const RefusedRegion& other) { return same(other.region, region); });
    if (known != listed_.end()) {
        known->status = status;
    } else if (listed_.size() < kMostListed) {
        listed_.push_back({region, status});
    } else {
        ++unlisted_;
    }
}

void RefusedRegions::accepted(const Region& region)
{
    std::erase_if(listed_, [&](const RefusedRegion& other) { return same(other.region, region); });
}

void RefusedRegions::clear()
{
    listed_.clear();
    unlisted_ = 0;
}

void RefusedRegions::restore(std::uint64_t count)
{
    clear();
    unlisted_ = count;
}

} // namespace kmd
