// SPDX-License-Identifier: GPL-2.0-or-later
//
// A sorted multiset of numbers that can tell how many are less than or equal to a given one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kmd
{

/// Stored in short sorted blocks: whatever the order of the calls, each costs a pass over the blocks and a
/// move within one block, a few microseconds for 65,536 numbers.
class RankedNumbers
{
  public:
    std::size_t count_at_most(std::uint64_t number) const;

    void add(std::uint64_t number);

    /// Undoes one earlier add() of this number.
    void remove(std::uint64_t number);

    void clear() { blocks_.clear(); }

  private:
    using Block = std::vector<std::uint64_t>;

    /// Index of the last block that begins with `number` or less; 0 if all begin with more.
    std::size_t block_of(std::uint64_t number) const;
    void split(std::size_t index);
    /// Joins a block with the next one if both together are short.
    void join(std::size_t index);

    /// In ascending order; none is empty.
    std::vector<Block> blocks_;
};

} // namespace kmd
