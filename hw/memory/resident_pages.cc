// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/memory/resident_pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace kmd
{

ResidentPages::ResidentPages(std::span<const std::byte> bytes)
    : page_size_(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)))
{
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
    first_ = begin / page_size_;
    pages_.resize((begin + bytes.size() + page_size_ - 1) / page_size_ - first_);
    // mincore() only looks, though its argument is not const.
    auto* const start = const_cast<std::byte*>(bytes.data() - begin % page_size_);
    if (::mincore(start, pages_.size() * page_size_, pages_.data()) != 0) {
        pages_.clear();
    }
}

bool ResidentPages::contains(std::span<const std::byte> part) const
{
    const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(part.data()) / page_size_ - first_;
    return page >= pages_.size() || (pages_[page] & 1) != 0;
}

} // namespace kmd
