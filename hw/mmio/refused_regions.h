// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which regions the guest wanted and did not get: their commits were refused, and none of the same
// memory passed since. A slot remembers its last commit alone, and a driver tries the next region in the
// same slot.
#pragma once

#include "hw/memory/region.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

struct RefusedRegion {
    Region region;
    kmd_slot_status status;
};

class RefusedRegions
{
  public:
    /// The guest can commit for ever: more than these are counted and not listed.
    static constexpr std::size_t kMostListed = 64;

    void refused(const Region& region, kmd_slot_status status);
    void accepted(const Region& region);
    void clear();

    std::uint64_t count() const { return listed_.size() + unlisted_; }
    std::span<const RefusedRegion> listed() const { return listed_; }

    /// For a state that has the number alone.
    void restore(std::uint64_t count);

  private:
    std::vector<RefusedRegion> listed_;
    std::uint64_t unlisted_ = 0;
};

} // namespace kmd
