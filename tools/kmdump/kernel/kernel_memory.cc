// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/kernel_memory.h"

#include <algorithm>
#include <utility>

namespace kmdump
{

namespace
{

/// Bytes of holes that an array of the kernel may contain.
constexpr std::uint64_t kMostHoles = 64 << 20;

} // namespace

KernelMemory::KernelMemory(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo)
    : core_(&core), page_walk_(core, vmcoreinfo), size_limit_(core.stored_bytes() + kMostHoles)
{
}

bool KernelMemory::read(std::uint64_t address, std::span<std::byte> out) const
{
    return core_->read_virtual(address, out) || read_by_pages(address, out);
}

bool KernelMemory::read_by_pages(std::uint64_t address, std::span<std::byte> out) const
{
    while (!out.empty()) {
        const std::uint64_t page_size = page_walk_.page_size();
        const std::size_t size = std::min<std::uint64_t>(out.size(), page_size - address % page_size);
        const auto piece = out.first(size);
        if (!core_->read_virtual(address, piece)) {
            const auto physical = to_physical(address);
            if (!physical || !core_->read_physical(*physical, piece)) {
                return false;
            }
        }
        out = out.subspan(size);
        address += size;
    }
    return true;
}

std::size_t KernelMemory::read_some(std::uint64_t address, std::span<std::byte> out) const
{
    if (const std::size_t size = core_->read_some_virtual(address, out)) {
        return size;
    }
    const std::uint64_t page_size = page_walk_.page_size();
    const auto physical = to_physical(address);
    const auto in_page = out.first(std::min<std::uint64_t>(out.size(), page_size - address % page_size));
    return physical ? core_->read_some_physical(*physical, in_page) : 0;
}

std::optional<std::vector<std::byte>> KernelMemory::read_array(std::uint64_t address,
                                                               std::uint64_t size) const
{
    std::byte last{};
    if (size > size_limit_ || !read(address + size - 1, std::span(&last, 1))) {
        return std::nullopt;
    }
    std::vector<std::byte> bytes(size);
    return read(address, bytes) ? std::optional(std::move(bytes)) : std::nullopt;
}

std::optional<std::uint64_t> KernelMemory::to_physical(std::uint64_t address) const
{
    const kmd::KernelSpace& space = page_walk_.space();
    if (space.linear_map && space.linear_map->range.contains(address)) {
        return address - space.linear_map->distance;
    }
    const kmd::Translation walked = page_walk_.translate(address);
    if (walked.mapping == kmd::Mapping::kMapped) {
        return walked.phys;
    }
    if (walked.mapping == kmd::Mapping::kUnknown && space.image_distance) {
        return address - *space.image_distance;
    }
    return std::nullopt;
}

} // namespace kmdump
