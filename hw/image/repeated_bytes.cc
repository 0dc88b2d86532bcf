// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/repeated_bytes.h"

#include <algorithm>

namespace kmd
{

std::uint64_t repeated_bytes(std::vector<Segment> segments)
{
    std::sort(segments.begin(), segments.end(),
              [](const Segment& a, const Segment& b) { return a.phys < b.phys; });
    std::uint64_t repeated = 0;
    std::uint64_t covered_to = 0;
    for (const Segment& segment : segments) {
        const std::uint64_t end = segment.phys + segment.size;
        if (segment.phys < covered_to) {
            repeated += std::min(end, covered_to) - segment.phys;
        }
        covered_to = std::max(covered_to, end);
    }
    return repeated;
}

} // namespace kmd
