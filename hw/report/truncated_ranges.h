// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump lacks that was cut off.
#pragma once

#include "hw/image/plan.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

class TruncatedRanges
{
  public:
    /// Of the file that the segments describe, `image_bytes` from its beginning are there.
    TruncatedRanges(std::span<const Segment> segments, std::uint64_t image_bytes);

    /// Whether a byte of the region is missing.
    bool has_part_of(const Region& region) const;

    /// In ascending order of physical address; their place in the file is where they would have been.
    const std::vector<Segment>& segments() const { return segments_; }

  private:
    std::vector<Segment> segments_;
    /// The highest end of the segments up to each of them.
    std::vector<std::uint64_t> ends_;
};

} // namespace kmd
