// SPDX-License-Identifier: GPL-2.0-or-later
//
// A dump's pieces of memory as they can be drawn: tiny against RAM, and in clusters.
#pragma once

#include "kmdump/inspect/memory_contents.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmdump
{

/// Physical addresses from `begin` to before `end`: what an axis shows.
struct DrawnRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const { return end - begin; }
};

/// A stretch of physical memory that is drawn to one scale, and what of the dump lies in it.
struct Stretch {
    DrawnRange range;
    std::vector<const Content*> contents;
};

/// Cuts physical memory at its largest gaps into at most `most` stretches, and never at a gap below
/// 64 KiB. Only what is in the dump counts. `contents` in the order of physical addresses; it must
/// outlive the result.
std::vector<Stretch> cut_into_stretches(std::span<const Content> contents, std::size_t most);

/// From the first stretch to the last, widened to round addresses.
DrawnRange overview_of(std::span<const Stretch> stretches);

} // namespace kmdump
