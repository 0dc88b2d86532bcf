// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/page_set.h"

namespace kmd
{

void PageSet::add(std::uint64_t address, std::uint64_t size)
{
    const std::uint64_t page_size = memory_->page_size();
    const std::uint64_t first = address & ~(page_size - 1);
    const std::uint64_t last = address + (size - 1);
    if (size == 0 || last < address) {
        return;
    }
    for (std::uint64_t page = first;; page += page_size) {
        if (pages_.contains(page)) {
            // The guest can name one page as often as it likes.
            memory_->take_steps(1);
        } else {
            const auto phys = memory_->translate(page);
            if (!phys && page == first) {
                return;
            }
            if (phys && pages_.size() == most_pages_) {
                ++left_out_;
            } else if (phys) {
                pages_.emplace(page, *phys);
            }
        }
        if (last - page < page_size || memory_->budget_is_used_up()) {
            return;
        }
    }
}

std::vector<Region> PageSet::regions() const
{
    const std::uint64_t page_size = memory_->page_size();
    std::vector<Region> regions;
    for (const auto& [virt, phys] : pages_) {
        if (!regions.empty() && regions.back().virt + regions.back().size == virt &&
            regions.back().phys + regions.back().size == phys) {
            regions.back().size += page_size;
        } else {
            Region region;
            region.virt = virt;
            region.phys = phys;
            region.size = page_size;
            regions.push_back(region);
        }
    }
    return regions;
}

} // namespace kmd
