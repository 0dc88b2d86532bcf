// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions that the guest tried to register in vain: their commit was refused, and no later commit of the same
// memory was accepted. Kept separately because a slot records only its last commit and a driver reuses the
// slot for its next region.
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
    /// A guest can commit for ever: any more are counted but not listed.
    static constexpr std::size_t kMostListed = 64;

    void refused(const Region& region, kmd_slot_status status);
    void accepted(const Region& region);
    void clear();

    std::uint64_t count() const { return listed_.size() + unlisted_; }
    std::span<const RefusedRegion> listed() const { return listed_; }

    /// For a saved state, which has only the count.
    void restore(std::uint64_t count);

  private:
    std::vector<RefusedRegion> listed_;
    std::uint64_t unlisted_ = 0;
};

} // namespace kmd
