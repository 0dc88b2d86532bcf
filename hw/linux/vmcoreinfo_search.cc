// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/vmcoreinfo_search.h"

#include "common/page_size.h"
#include "common/vmcoreinfo.h"
#include "hw/memory/resident_pages.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace kmd
{

namespace
{

/// The kernel fills one page; the smallest one, whatever its page size (VMCOREINFO_BYTES).
constexpr std::uint64_t kTextBytes = kSmallestPage;
/// Enough of the first line to tell.
constexpr std::size_t kFirstLine = 16;
/// What a find counts: its text has to be parsed, and a guest can fill its memory with such pages.
constexpr std::uint64_t kPagesPerFind = 2048;
/// What is looked at in one go.
constexpr std::uint64_t kBlock = 4 << 20;

std::string_view text_of(std::span<const std::byte> bytes)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.substr(0, text.find('\0'));
}

} // namespace

std::optional<VmcoreinfoPage> read_vmcoreinfo_page(std::uint64_t phys, GuestMemory& memory)
{
    std::array<std::byte, kTextBytes> bytes;
    if (!memory.read(phys, bytes) || !Vmcoreinfo::is_vmcoreinfo(text_of(bytes))) {
        return std::nullopt;
    }
    return VmcoreinfoPage{phys, std::string(text_of(bytes))};
}

std::optional<VmcoreinfoPage> VmcoreinfoSearch::next(GuestMemory& memory, std::uint64_t& pages)
{
    while (pages > 0) {
        const auto start = memory.next_ram(position_);
        const std::uint64_t aligned = start ? (*start + kSmallestPage - 1) & ~(kSmallestPage - 1) : 0;
        if (aligned < position_ || !start) {
            at_end_ = true;
            return std::nullopt;
        }
        position_ = aligned;
        const auto block = memory.map(position_, std::min(kBlock, pages * kSmallestPage));
        const std::uint64_t count = block.size() / kSmallestPage;
        const ResidentPages resident(block);
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto page = block.subspan(i * kSmallestPage, kSmallestPage);
            --pages;
            if (resident.contains(page) && Vmcoreinfo::is_vmcoreinfo(text_of(page.first(kFirstLine)))) {
                VmcoreinfoPage found{position_ + i * kSmallestPage, std::string(text_of(page))};
                position_ = found.phys + kSmallestPage;
                pages -= std::min(pages, kPagesPerFind);
                return found;
            }
        }
        if (count == 0) {
            --pages;
        }
        position_ += std::max<std::uint64_t>(count, 1) * kSmallestPage;
    }
    return std::nullopt;
}

} // namespace kmd
