// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/extents.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

namespace kmd
{

namespace
{

/// An extent up to this size is written as a whole, with its most important part.
constexpr std::uint64_t kSmallExtent = std::uint64_t{1} << 20;

/// Whether `next`, which does not start before `segment`, overlaps or continues it in both address spaces.
bool continues(const Segment& segment, const Segment& next)
{
    const bool same_distance = next.virt - next.phys == segment.virt - segment.phys;
    const bool no_wrap_between = next.virt >= segment.virt;
    return same_distance && no_wrap_between && next.phys - segment.phys <= segment.size;
}

/// The memory of the segments, each byte once. Extents also end at cuts.
std::vector<Extent> extents_of(std::span<const Segment> segments, std::span<const std::uint64_t> cuts)
{
    std::vector<Extent> extents;
    for (const Segment& segment : segments) {
        const bool continues_last =
            !extents.empty() && segment.phys - extents.back().phys <= extents.back().size;
        const bool starts_at_cut = continues_last && segment.phys != extents.back().phys &&
                                   std::binary_search(cuts.begin(), cuts.end(), segment.phys);
        if (!continues_last || starts_at_cut) {
            extents.push_back({segment.phys, segment.size});
        }
        Extent& extent = extents.back();
        extent.size = std::max(extent.size, segment.phys - extent.phys + segment.size);
    }
    return extents;
}

/// Gives each extent the best rank of any claim in it. Both are in ascending order; no claim extends past the
/// end of an extent.
void rank(std::span<Extent> extents, std::span<const Claim> claims)
{
    auto claim = claims.begin();
    for (Extent& extent : extents) {
        for (; claim != claims.end() && claim->phys < extent.end(); ++claim) {
            extent.rank = std::min(extent.rank, claim->rank);
        }
    }
}

} // namespace

void sort_by_address(std::vector<Segment>& segments)
{
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.phys, a.virt) < std::tuple(b.phys, b.virt);
    });
}

std::vector<Segment> merge(std::vector<Segment> segments)
{
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.virt - a.phys, a.phys, a.size) < std::tuple(b.virt - b.phys, b.phys, b.size);
    });
    std::size_t merged = 0;
    for (const Segment segment : segments) {
        if (merged > 0 && continues(segments[merged - 1], segment)) {
            Segment& last = segments[merged - 1];
            last.size = std::max(last.size, segment.phys - last.phys + segment.size);
        } else {
            segments[merged++] = segment;
        }
    }
    segments.resize(merged);
    sort_by_address(segments);
    return segments;
}

std::vector<std::uint64_t> cuts_of(std::span<const Segment> segments, std::span<const Claim> claims)
{
    std::vector<std::uint64_t> cuts;
    if (claims.empty()) {
        return cuts;
    }
    auto claim = claims.begin();
    for (const Extent& extent : extents_of(segments, {})) {
        std::uint64_t known_to = extent.phys;
        for (; claim != claims.end() && claim->phys < extent.end(); ++claim) {
            if (extent.size <= kSmallExtent || claim->end <= known_to) {
                continue;
            }
            if (claim->phys > known_to) {
                if (known_to > extent.phys) {
                    cuts.push_back(known_to);
                }
                cuts.push_back(claim->phys);
            }
            known_to = claim->end;
        }
        if (known_to > extent.phys && known_to < extent.end()) {
            cuts.push_back(known_to);
        }
    }
    return cuts;
}

std::vector<Segment> cut(std::vector<Segment> segments, std::span<const std::uint64_t> cuts)
{
    if (cuts.empty()) {
        return segments;
    }
    std::vector<Segment> pieces;
    for (Segment rest : segments) {
        auto at = std::upper_bound(cuts.begin(), cuts.end(), rest.phys);
        for (; at != cuts.end() && *at - rest.phys < rest.size; ++at) {
            const std::uint64_t size = *at - rest.phys;
            pieces.push_back({rest.phys, rest.virt, size, 0});
            rest = {rest.phys + size, rest.virt + size, rest.size - size, 0};
        }
        pieces.push_back(rest);
    }
    sort_by_address(pieces);
    return pieces;
}

std::vector<Extent> ranked_extents(std::span<const Segment> segments, std::span<const std::uint64_t> cuts,
                                   std::span<const Claim> claims)
{
    auto extents = extents_of(segments, cuts);
    rank(extents, claims);
    return extents;
}

std::vector<std::uint32_t> assign_offsets(std::span<Extent> extents, std::uint64_t file_offset)
{
    std::vector<std::uint32_t> order(extents.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return extents[a].rank < extents[b].rank; });
    for (const std::uint32_t i : order) {
        extents[i].file_offset = file_offset;
        file_offset += extents[i].size;
    }
    return order;
}

void assign_offsets(std::span<Segment> segments, std::span<const Extent> extents)
{
    auto extent = extents.begin();
    for (Segment& segment : segments) {
        while (segment.phys - extent->phys >= extent->size) {
            ++extent;
        }
        segment.file_offset = extent->file_offset + (segment.phys - extent->phys);
    }
}

} // namespace kmd
