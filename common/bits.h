// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bits of a word, numbered the way manuals of CPUs number them.
#pragma once

#include <cstdint>

namespace kmd
{

/// A word in which bits `high` to `low` are set; 63 >= high >= low.
constexpr std::uint64_t bits(unsigned high, unsigned low)
{
    return (~std::uint64_t{0} >> (63 - high)) & (~std::uint64_t{0} << low);
}

/// Bits `high` to `low` of a word, moved down.
constexpr std::uint64_t field(std::uint64_t word, unsigned high, unsigned low)
{
    return (word & bits(high, low)) >> low;
}

} // namespace kmd
