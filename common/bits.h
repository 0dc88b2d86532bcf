// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bit fields, numbered as in CPU manuals.
#pragma once

#include <cstdint>

namespace kmd
{

/// A word with bits `high` to `low` set; 63 >= high >= low.
constexpr std::uint64_t bits(unsigned high, unsigned low)
{
    return (~std::uint64_t{0} >> (63 - high)) & (~std::uint64_t{0} << low);
}

/// Bits `high` to `low` of a word, shifted down to bit 0.
constexpr std::uint64_t field(std::uint64_t word, unsigned high, unsigned low)
{
    return (word & bits(high, low)) >> low;
}

} // namespace kmd
