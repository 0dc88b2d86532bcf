// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which memory a core image holds, each byte once, and in which order: what is worth most comes first, so
// that a file that has to be cut keeps it.
#pragma once

#include "hw/image/plan.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// What memory is worth when not all of it can be written; a smaller value is written first.
enum class Rank { kLog, kStack, kTable, kRest };

/// Memory that is worth more than the rest: a range of guest-physical addresses.
struct Claim {
    std::uint64_t phys = 0;
    std::uint64_t end = 0;
    Rank rank = Rank::kRest;
};

/// An unbroken range of guest-physical addresses and its place in the file.
struct Extent {
    std::uint64_t phys = 0;
    std::uint64_t size = 0;
    Rank rank = Rank::kRest;
    std::uint64_t file_offset = 0;

    std::uint64_t end() const { return phys + size; }
};

/// Orders by physical, then by virtual address.
void sort_by_address(std::vector<Segment>& segments);

/// Segments in ascending order of physical address, each as long as it can be: those that overlap or continue
/// each other in both address spaces are one.
std::vector<Segment> merge(std::vector<Segment> segments);

/// Where the extents of the segments, which are in ascending order, have to be cut to tell what is claimed
/// from the rest: addresses, ascending. Small extents are left whole. `claims` are in ascending order, and
/// within the segments.
std::vector<std::uint64_t> cuts_of(std::span<const Segment> segments, std::span<const Claim> claims);

/// The segments, which are in ascending order, cut at these addresses; in ascending order.
std::vector<Segment> cut(std::vector<Segment> segments, std::span<const std::uint64_t> cuts);

/// The memory of the segments, each byte once, in ascending order. Extents end where segments were cut, and
/// each is worth what the most precious byte in it is.
std::vector<Extent> ranked_extents(std::span<const Segment> segments, std::span<const std::uint64_t> cuts,
                                   std::span<const Claim> claims);

/// Gives each extent its place in the file, from `file_offset` (bytes) on. Returns their order there.
std::vector<std::uint32_t> assign_offsets(std::span<Extent> extents, std::uint64_t file_offset);

/// Gives each segment the place of its memory. Both are in ascending order. Segments that show the same
/// memory at two virtual addresses share their bytes.
void assign_offsets(std::span<Segment> segments, std::span<const Extent> extents);

} // namespace kmd
