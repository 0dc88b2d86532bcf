// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/address_map.h"

#include <algorithm>

namespace kmdump
{

namespace
{

std::uint64_t last_address(const Extent& extent)
{
    return extent.address + (extent.size - 1);
}

/// The part of `extent` from `address` on. `address` must lie in it.
Extent from(const Extent& extent, std::uint64_t address)
{
    const std::uint64_t skipped = address - extent.address;
    return {address, extent.size - skipped, extent.file_offset + skipped};
}

} // namespace

AddressMap::AddressMap(std::vector<Extent> extents)
{
    std::stable_sort(extents.begin(), extents.end(),
                     [](const Extent& a, const Extent& b) { return a.address < b.address; });
    for (const Extent& extent : extents) {
        if (extents_.empty() || extent.address > last_address(extents_.back())) {
            extents_.push_back(extent);
        } else if (last_address(extent) > last_address(extents_.back())) {
            extents_.push_back(from(extent, last_address(extents_.back()) + 1));
        }
    }
}

std::optional<Extent> AddressMap::find(std::uint64_t address) const
{
    const auto above =
        std::upper_bound(extents_.begin(), extents_.end(), address,
                         [](std::uint64_t wanted, const Extent& extent) { return wanted < extent.address; });
    if (above == extents_.begin()) {
        return std::nullopt;
    }
    const Extent& extent = *std::prev(above);
    if (address > last_address(extent)) {
        return std::nullopt;
    }
    return from(extent, address);
}

bool AddressMap::overlaps(std::uint64_t address, std::uint64_t size) const
{
    const auto next = std::lower_bound(
        extents_.begin(), extents_.end(), address,
        [](const Extent& extent, std::uint64_t wanted) { return last_address(extent) < wanted; });
    return next != extents_.end() && (next->address <= address || next->address - address < size);
}

} // namespace kmdump
