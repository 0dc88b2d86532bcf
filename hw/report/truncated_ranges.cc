// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/report/truncated_ranges.h"

#include <algorithm>

namespace kmd
{

TruncatedRanges::TruncatedRanges(std::span<const Segment> segments, std::uint64_t image_bytes)
{
    for (const Segment& segment : segments) {
        const std::uint64_t there =
            std::min(segment.size, image_bytes - std::min(image_bytes, segment.file_offset));
        if (there < segment.size) {
            segments_.push_back({segment.phys + there, segment.virt + there, segment.size - there,
                                 segment.file_offset + there});
        }
    }
    std::sort(segments_.begin(), segments_.end(),
              [](const Segment& a, const Segment& b) { return a.phys < b.phys; });
    std::uint64_t end = 0;
    for (const Segment& segment : segments_) {
        end = std::max(end, segment.phys + segment.size);
        ends_.push_back(end);
    }
}

bool TruncatedRanges::has_part_of(const Region& region) const
{
    const auto behind = std::lower_bound(
        segments_.begin(), segments_.end(), region.phys + region.size,
        [](const Segment& segment, std::uint64_t address) { return segment.phys < address; });
    return behind != segments_.begin() && ends_[behind - segments_.begin() - 1] > region.phys;
}

} // namespace kmd
