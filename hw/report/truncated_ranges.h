// SPDX-License-Identifier: GPL-2.0-or-later
//
// The memory that a truncated dump lacks.
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
    /// The first `image_bytes` of the file that the segments describe were written.
    TruncatedRanges(std::span<const Segment> segments, std::uint64_t image_bytes);

    /// Whether any byte of the region is missing.
    bool has_part_of(const Region& region) const;

    /// The missing memory in ascending order of physical address; `file_offset` is where it would have been.
    const std::vector<Segment>& segments() const { return segments_; }

  private:
    std::vector<Segment> segments_;
    /// For each segment, the highest end of it and those before it.
    std::vector<std::uint64_t> ends_;
};

} // namespace kmd
