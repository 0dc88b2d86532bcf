// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/ranked_numbers.h"

#include <algorithm>
#include <new>
#include <utility>

namespace kmd
{

namespace
{

/// About the square root of the largest count.
constexpr std::size_t kLongestBlock = 512;

/// Two neighbouring blocks together hold more than this, which bounds the number of blocks.
constexpr std::size_t kShortPair = kLongestBlock / 2;

} // namespace

std::size_t RankedNumbers::block_of(std::uint64_t number) const
{
    const auto next =
        std::upper_bound(blocks_.begin(), blocks_.end(), number,
                         [](std::uint64_t value, const Block& block) { return value < block.front(); });
    return next == blocks_.begin() ? 0 : static_cast<std::size_t>(next - blocks_.begin()) - 1;
}

std::size_t RankedNumbers::count_at_most(std::uint64_t number) const
{
    if (blocks_.empty()) {
        return 0;
    }
    const std::size_t last = block_of(number);
    std::size_t count = 0;
    for (std::size_t i = 0; i < last; ++i) {
        count += blocks_[i].size();
    }
    const Block& block = blocks_[last];
    const auto higher = std::upper_bound(block.begin(), block.end(), number);
    return count + static_cast<std::size_t>(higher - block.begin());
}

void RankedNumbers::add(std::uint64_t number)
{
    if (blocks_.empty()) {
        blocks_.push_back({number});
        return;
    }
    const std::size_t index = block_of(number);
    Block& block = blocks_[index];
    block.insert(std::upper_bound(block.begin(), block.end(), number), number);
    if (block.size() >= kLongestBlock) {
        split(index);
    }
}

void RankedNumbers::remove(std::uint64_t number)
{
    const std::size_t index = block_of(number);
    Block& block = blocks_[index];
    block.erase(std::lower_bound(block.begin(), block.end(), number));
    if (block.empty()) {
        blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index));
        return;
    }
    join(index);
    if (index > 0) {
        join(index - 1);
    }
}

void RankedNumbers::split(std::size_t index)
{
    try {
        Block upper;
        upper.reserve(kLongestBlock);
        upper.assign(blocks_[index].begin() + kLongestBlock / 2, blocks_[index].end());
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(upper));
    } catch (const std::bad_alloc&) {
        // A longer block is only slower.
        return;
    }
    blocks_[index].resize(kLongestBlock / 2);
}

void RankedNumbers::join(std::size_t index)
{
    if (index + 1 >= blocks_.size() || blocks_[index].size() + blocks_[index + 1].size() > kShortPair) {
        return;
    }
    const auto next = blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1;
    try {
        blocks_[index].insert(blocks_[index].end(), next->begin(), next->end());
    } catch (const std::bad_alloc&) {
        return;
    }
    blocks_.erase(next);
}

} // namespace kmd
