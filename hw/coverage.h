// SPDX-License-Identifier: GPL-2.0-or-later
//
// How many regions cover each address: answers "does this range touch another one?" without
// looking at every region.
#pragma once

#include <cstdint>
#include <map>

namespace kmd
{

/// A step function over the address space. Ranges are given by their first and last byte, so that
/// one that ends with the last byte of the space is nothing special.
class Coverage
{
  public:
    /// Whether any byte of [first, last] is covered.
    bool any(std::uint64_t first, std::uint64_t last) const;

    void add(std::uint64_t first, std::uint64_t last);

    /// Takes back one earlier add() of exactly this range.
    void remove(std::uint64_t first, std::uint64_t last);

    void clear() { steps_.clear(); }

  private:
    using Steps = std::map<std::uint64_t, std::uint32_t>;

    Steps::iterator split(std::uint64_t at);
    void change(std::uint64_t first, std::uint64_t last, std::uint32_t by);
    void merge(std::uint64_t at);

    /// Key: an address; value: how many ranges cover it and all that follow up to the next key.
    /// Below the first key nothing is covered.
    Steps steps_;
};

} // namespace kmd
