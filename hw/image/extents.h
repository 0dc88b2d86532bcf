// SPDX-License-Identifier: GPL-2.0-or-later
//
// The memory that a core image contains, each byte once, and its order: the most important comes first, so
// that a truncated file keeps it.
#pragma once

#include "hw/image/plan.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// The importance of memory if not everything can be written; smaller values are written first.
enum class Rank { kLog, kStack, kTable, kRest };

/// Memory that is more important than the rest: a range of guest-physical addresses.
struct Claim {
    std::uint64_t phys = 0;
    std::uint64_t end = 0;
    Rank rank = Rank::kRest;
};

/// A contiguous range of guest-physical addresses and its place in the file.
struct Extent {
    std::uint64_t phys = 0;
    std::uint64_t size = 0;
    Rank rank = Rank::kRest;
    std::uint64_t file_offset = 0;

    std::uint64_t end() const { return phys + size; }
};

/// Sorts by physical, then by virtual address.
void sort_by_address(std::vector<Segment>& segments);

/// Merges segments that overlap or continue each other in both address spaces. The result is in ascending
/// order of physical address.
std::vector<Segment> merge(std::vector<Segment> segments);

/// The addresses, ascending, at which to cut the extents of the segments to separate claimed memory from the
/// rest. Small extents are not cut. Both arguments are in ascending order, and the claims lie within the
/// segments.
std::vector<std::uint64_t> cuts_of(std::span<const Segment> segments, std::span<const Claim> claims);

/// Cuts the segments, which are in ascending order, at `cuts`. The result is in ascending order.
std::vector<Segment> cut(std::vector<Segment> segments, std::span<const std::uint64_t> cuts);

/// The memory of the segments, each byte once, in ascending order. Extents also end at cuts, and each has the
/// best rank of any claim in it.
std::vector<Extent> ranked_extents(std::span<const Segment> segments, std::span<const std::uint64_t> cuts,
                                   std::span<const Claim> claims);

/// Assigns file offsets to the extents, from `file_offset` (bytes) on. Returns their order in the file.
std::vector<std::uint32_t> assign_offsets(std::span<Extent> extents, std::uint64_t file_offset);

/// Assigns to each segment the file offset of its memory. Both are in ascending order. Segments that map the
/// same memory at two virtual addresses share its bytes.
void assign_offsets(std::span<Segment> segments, std::span<const Extent> extents);

} // namespace kmd
