// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bounds the size of formats that store shared memory once for each region: a guest could register all of its
// RAM in every slot.
#pragma once

#include "hw/image/plan.h"

#include <cstdint>
#include <vector>

namespace kmd
{

inline constexpr std::uint64_t kMostRepeated = std::uint64_t{64} << 20;

/// The number of bytes that a file of these segments would contain more than once.
std::uint64_t repeated_bytes(std::vector<Segment> segments);

} // namespace kmd
