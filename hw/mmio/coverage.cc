// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/coverage.h"

#include <new>

namespace kmd
{

bool Coverage::any(std::uint64_t first, std::uint64_t last) const
{
    // Every range that ends before `first` also begins at or before `last`. If more ranges begin there, one
    // of them overlaps.
    const std::size_t end_before = first == 0 ? 0 : lasts_.count_at_most(first - 1);
    return firsts_.count_at_most(last) > end_before;
}

void Coverage::add(std::uint64_t first, std::uint64_t last)
{
    firsts_.add(first);
    try {
        lasts_.add(last);
    } catch (const std::bad_alloc&) {
        firsts_.remove(first);
        throw;
    }
}

void Coverage::remove(std::uint64_t first, std::uint64_t last)
{
    firsts_.remove(first);
    lasts_.remove(last);
}

void Coverage::clear()
{
    firsts_.clear();
    lasts_.clear();
}

} // namespace kmd
