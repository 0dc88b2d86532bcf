// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers in ascending order, of which each may be there more than once: how many are at most this one?
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kmd
{

/// Kept in short sorted blocks, so that whatever order the numbers come and go in, each call costs a look at
/// the blocks and a move within one of them: a few microseconds for 65,536 numbers.
class RankedNumbers
{
  public:
    std::size_t count_at_most(std::uint64_t number) const;

    void add(std::uint64_t number);

    /// Takes back one earlier add() of this number.
    void remove(std::uint64_t number);

    void clear() { blocks_.clear(); }

  private:
    using Block = std::vector<std::uint64_t>;

    /// Index of the last block that begins with `number` or less; 0 when all begin higher up.
    std::size_t block_of(std::uint64_t number) const;
    void split(std::size_t index);
    /// Joins a block with the next when both together are short.
    void join(std::size_t index);

    /// Ascending, none of them empty.
    std::vector<Block> blocks_;
};

} // namespace kmd
