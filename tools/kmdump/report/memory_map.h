// SPDX-License-Identifier: GPL-2.0-or-later
//
// Arranges a dump's memory for drawing: its pieces are tiny compared to RAM, and clustered.
#pragma once

#include "kmdump/inspect/memory_contents.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmdump
{

/// The physical addresses of an axis, from `begin` up to, not including, `end`.
struct DrawnRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const { return end - begin; }
};

/// A stretch of physical memory that is drawn to one scale, and the dump's memory in it.
struct Stretch {
    DrawnRange range;
    std::vector<const Content*> contents;
};

/// Cuts physical memory at its largest gaps of at least 64 KiB into at most `most` stretches. Ignores
/// contents that are not in the dump. `contents` must be in the order of physical addresses and outlive the
/// result.
std::vector<Stretch> cut_into_stretches(std::span<const Content> contents, std::size_t most);

/// The range of all stretches, extended to round addresses.
DrawnRange overview_of(std::span<const Stretch> stretches);

} // namespace kmdump
