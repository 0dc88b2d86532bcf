// SPDX-License-Identifier: GPL-2.0-or-later
//
// The addresses that any region covers. Answers "does this range overlap a region?" without a search of all
// regions.
#pragma once

#include "hw/mmio/ranked_numbers.h"

#include <cstdint>

namespace kmd
{

/// A multiset of address ranges, which may overlap. Each is given by its first and last byte, so that it can
/// end with the last byte of the address space. The cost of a call does not depend on how the ranges lie.
class Coverage
{
  public:
    /// Whether any byte of [first, last] is covered.
    bool any(std::uint64_t first, std::uint64_t last) const;

    /// Strong guarantee: changes nothing if it throws std::bad_alloc.
    void add(std::uint64_t first, std::uint64_t last);

    /// Undoes one earlier add() of exactly this range.
    void remove(std::uint64_t first, std::uint64_t last);

    void clear();

  private:
    RankedNumbers firsts_;
    RankedNumbers lasts_;
};

} // namespace kmd
