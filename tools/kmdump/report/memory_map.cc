// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/memory_map.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace kmdump
{

namespace
{

constexpr std::uint64_t kSmallestGap = 64 << 10;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

std::uint64_t round_down(std::uint64_t address, std::uint64_t unit)
{
    return address / unit * unit;
}

/// The last multiple of `unit` if the next one does not fit in 64 bits.
std::uint64_t round_up(std::uint64_t address, std::uint64_t unit)
{
    return address > kLast - (unit - 1) ? round_down(kLast, unit) : round_down(address + unit - 1, unit);
}

std::uint64_t end_of(const Content& content)
{
    return content.size > kLast - content.phys ? kLast : content.phys + content.size;
}

/// The smallest gap size to cut at.
std::uint64_t smallest_cut(const std::vector<std::uint64_t>& gaps, std::size_t cuts)
{
    std::vector<std::uint64_t> wide;
    std::copy_if(gaps.begin(), gaps.end(), std::back_inserter(wide),
                 [](std::uint64_t gap) { return gap >= kSmallestGap; });
    if (wide.size() <= cuts) {
        return kSmallestGap;
    }
    std::sort(wide.begin(), wide.end(), std::greater<>());
    return cuts == 0 ? kLast : wide[cuts - 1];
}

} // namespace

std::vector<Stretch> cut_into_stretches(std::span<const Content> contents, std::size_t most)
{
    std::vector<const Content*> present;
    std::vector<std::uint64_t> gaps; // before each of them
    std::uint64_t end = 0;
    for (const Content& content : contents) {
        if (!content.file_offset || content.size == 0) {
            continue;
        }
        gaps.push_back(present.empty() || content.phys <= end ? 0 : content.phys - end);
        present.push_back(&content);
        end = std::max(end, end_of(content));
    }
    const std::uint64_t cut = smallest_cut(gaps, most - 1);
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i < present.size(); ++i) {
        if (i == 0 || (gaps[i] >= cut && stretches.size() < most)) {
            const std::uint64_t begin = round_down(present[i]->phys, kPage);
            stretches.push_back({{begin, begin}, {}});
        }
        Stretch& stretch = stretches.back();
        stretch.contents.push_back(present[i]);
        stretch.range.end = std::max(stretch.range.end, round_up(end_of(*present[i]), kPage));
    }
    return stretches;
}

DrawnRange overview_of(std::span<const Stretch> stretches)
{
    if (stretches.empty()) {
        return {};
    }
    const DrawnRange tight{stretches.front().range.begin, stretches.back().range.end};
    const std::uint64_t unit = std::max<std::uint64_t>(std::bit_floor(tight.size() / 8), kPage);
    return {round_down(tight.begin, unit), round_up(tight.end, unit)};
}

} // namespace kmdump
