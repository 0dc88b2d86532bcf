// SPDX-License-Identifier: GPL-2.0-or-later
//
// The slots of the register specification (sections 5 and 6): their contents, and the commit protocol that
// turns a slot into a region.
#pragma once

#include "common/kmemdump_md_regs.h"
#include "common/result.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"
#include "hw/mmio/coverage.h"
#include "hw/mmio/refused_regions.h"
#include "hw/mmio/state_stream.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace kmd
{

class RegionTable
{
  public:
    /// `slots`: 1 to KMD_SLOT_COUNT_MAX. `capacity`: how many of them can be valid at the same time.
    /// `refused`: number of the commit, counted from 1, to answer with KMD_SLOT_REFUSED; 0: none.
    RegionTable(std::uint32_t slots, std::uint32_t capacity, std::uint64_t refused = 0);

    std::uint32_t slot_count() const { return static_cast<std::uint32_t>(slots_.size()); }
    std::uint32_t region_count() const { return region_count_; }

    /// Lowest slot that is not valid; KMD_NO_FREE_SLOT if the capacity is used up.
    std::uint32_t free_slot() const;

    /// In all that follows, `slot` is below slot_count().
    bool valid(std::uint32_t slot) const { return slots_[slot].valid; }
    kmd_slot_status status(std::uint32_t slot) const { return slots_[slot].status; }
    Region region(std::uint32_t slot) const;

    /// The writable fields as 32-bit words; word 0 is the low half of SLOT_PHYS.
    static constexpr std::uint32_t kFieldWords = KMD_SLOT_STATUS / 4;
    std::uint32_t field(std::uint32_t slot, std::uint32_t word) const { return slots_[slot].fields[word]; }

    /// Returns false and changes nothing while the slot is valid.
    bool set_field(std::uint32_t slot, std::uint32_t word, std::uint32_t value);

    /// Checks an invalid slot and makes it valid if it passes. Stores the status and returns it.
    kmd_slot_status commit(std::uint32_t slot, GuestMemory& memory);

    /// Makes a slot invalid and clears its status; its fields keep their values.
    void invalidate(std::uint32_t slot);

    /// Stores the result of the check at a trigger for a valid slot.
    void set_status(std::uint32_t slot, kmd_slot_status status) { slots_[slot].status = status; }

    /// Invalidates and clears every slot, and forgets the refused regions.
    void clear();

    /// The regions that were refused and not registered since.
    const RefusedRegions& refused() const { return refused_regions_; }

    void save(StateWriter& state) const;

    /// Restores the state of a table with the same number of slots. An error says what is wrong with the
    /// state, which is not trusted; the table is then unusable. Whether the regions are RAM is checked at the
    /// trigger.
    std::optional<Error> load(StateReader& state);

  private:
    struct Slot {
        std::array<std::uint32_t, kFieldWords> fields{};
        kmd_slot_status status = KMD_SLOT_EMPTY;
        bool valid = false;
    };

    std::uint64_t field64(std::uint32_t slot, std::uint32_t offset) const;
    kmd_slot_status check(std::uint32_t slot, const Region& region, GuestMemory& memory) const;
    bool duplicate(const Region& region) const;
    void set_valid(std::uint32_t slot, bool valid);
    void add(std::uint32_t slot, const Region& region);

    std::vector<Slot> slots_;
    std::uint32_t capacity_;
    std::uint64_t refused_;
    std::uint64_t commits_ = 0;
    std::uint32_t region_count_ = 0;
    /// Bit i of word w: slot 64 * w + i is valid.
    std::vector<std::uint64_t> valid_bits_;
    RefusedRegions refused_regions_;
    std::unordered_set<std::uint32_t> ids_;
    std::unordered_set<std::uint32_t> singular_kinds_;
    Coverage coverage_;
};

} // namespace kmd
