// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which addresses any region covers: answers "does this range touch another one?" without looking at
// every region.
#pragma once

#include "hw/mmio/ranked_numbers.h"

#include <cstdint>

namespace kmd
{

/// Ranges over the address space, which may overlap and repeat. They are given by their first and last byte,
/// so that one that ends with the last byte of the space is nothing special. What a call costs does not
/// depend on how they lie.
class Coverage
{
  public:
    /// Whether any byte of [first, last] is covered.
    bool any(std::uint64_t first, std::uint64_t last) const;

    /// Changes nothing when it throws std::bad_alloc.
    void add(std::uint64_t first, std::uint64_t last);

    /// Takes back one earlier add() of exactly this range.
    void remove(std::uint64_t first, std::uint64_t last);

    void clear();

  private:
    RankedNumbers firsts_;
    RankedNumbers lasts_;
};

} // namespace kmd
