// SPDX-License-Identifier: GPL-2.0-or-later
//
// A region of guest memory as the guest describes it in a slot (register specification, section 5).
#pragma once

#include "common/kmemdump_md_regs.h"
#include "hw/memory/guest_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// One region as the guest described it. Addresses and size in bytes.
struct Region {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::array<char, KMD_NAME_SIZE> name{};
    std::uint32_t id = 0;
    std::uint32_t kind = KMD_KIND_MEMORY;
    /// KMD_FLAG_VITAL: to be written first, in case not everything can be written.
    bool vital = false;
    /// KMD_FLAG_FREED: the guest freed the memory after registering it, so it now holds other data.
    bool freed = false;
};

/// The name without its padding, with everything but printable ASCII replaced: it comes from the guest and
/// goes into logs.
std::string printable_name(const Region& region);

/// Checks that the region is not empty and does not wrap in either address space: KMD_SLOT_OK,
/// KMD_SLOT_BAD_SIZE or KMD_SLOT_WRAPS.
kmd_slot_status check_addresses(const Region& region);

/// The check at a trigger: size, wrap-around, freed memory, RAM. Returns KMD_SLOT_OK or the first failure. A
/// commit makes the same check but accepts a region whose memory was freed.
kmd_slot_status check_range(const Region& region, GuestMemory& memory);

/// Whether a status is that of a valid region.
constexpr bool accepted(kmd_slot_status status)
{
    return status == KMD_SLOT_OK || status == KMD_SLOT_OK_OVERLAP;
}

/// The regions at a trigger. Each is checked only once, because is_ram() makes the emulator search its memory
/// map.
class CheckedRegions
{
  public:
    CheckedRegions() = default;
    CheckedRegions(std::vector<Region> regions, GuestMemory& memory);

    std::size_t size() const { return regions_.size(); }
    const Region& operator[](std::size_t i) const { return regions_[i]; }
    std::span<const Region> all() const { return regions_; }
    /// One for each region, in their order.
    const std::vector<kmd_slot_status>& statuses() const { return statuses_; }
    /// Whether region `i` passed its check. The memory of a region that did not is never read.
    bool is_ram(std::size_t i) const { return statuses_[i] == KMD_SLOT_OK; }
    /// The only region of a kind that can occur once, if it passed its check; null otherwise.
    const Region* find(kmd_kind kind) const;

  private:
    std::vector<Region> regions_;
    std::vector<kmd_slot_status> statuses_;
};

} // namespace kmd
