// SPDX-License-Identifier: GPL-2.0-or-later
#include "coverage.h"

#include <iterator>
#include <limits>

namespace kmd
{

namespace
{
constexpr auto kEndOfSpace = std::numeric_limits<std::uint64_t>::max();
}

bool Coverage::any(std::uint64_t first, std::uint64_t last) const
{
    auto step = steps_.upper_bound(first);
    if (step != steps_.begin() && std::prev(step)->second > 0) {
        return true;
    }
    for (; step != steps_.end() && step->first <= last; ++step) {
        if (step->second > 0) {
            return true;
        }
    }
    return false;
}

void Coverage::add(std::uint64_t first, std::uint64_t last)
{
    change(first, last, 1);
}

void Coverage::remove(std::uint64_t first, std::uint64_t last)
{
    change(first, last, static_cast<std::uint32_t>(-1));
    if (last != kEndOfSpace) {
        merge(last + 1);
    }
    merge(first);
}

Coverage::Steps::iterator Coverage::split(std::uint64_t at)
{
    const auto next = steps_.lower_bound(at);
    if (next != steps_.end() && next->first == at) {
        return next;
    }
    const std::uint32_t below = next == steps_.begin() ? 0 : std::prev(next)->second;
    return steps_.emplace_hint(next, at, below);
}

void Coverage::change(std::uint64_t first, std::uint64_t last, std::uint32_t by)
{
    const auto begin = split(first);
    const auto end = last == kEndOfSpace ? steps_.end() : split(last + 1);
    for (auto step = begin; step != end; ++step) {
        step->second += by;
    }
}

void Coverage::merge(std::uint64_t at)
{
    const auto step = steps_.find(at);
    if (step == steps_.end()) {
        return;
    }
    const std::uint32_t below = step == steps_.begin() ? 0 : std::prev(step)->second;
    if (step->second == below) {
        steps_.erase(step);
    }
}

} // namespace kmd
