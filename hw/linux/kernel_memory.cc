// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/kernel_memory.h"

#include "common/page_size.h"

#include <algorithm>

namespace kmd
{

namespace
{

constexpr std::uint64_t kBytesPerStep = 1024;

} // namespace

LiveKernelMemory::LiveKernelMemory(const Architecture& architecture, const Vmcoreinfo& vmcoreinfo,
                                   GuestMemory& memory, std::uint32_t steps)
    : architecture_(&architecture), space_(architecture.kernel_space(vmcoreinfo, memory)),
      page_size_(vmcoreinfo.page_size().value_or(kSmallestPage)), memory_(&memory), steps_left_(steps)
{
}

bool LiveKernelMemory::take_steps(std::uint64_t steps) const
{
    if (steps_left_ < steps) {
        steps_left_ = 0;
        return false;
    }
    steps_left_ -= static_cast<std::uint32_t>(steps);
    return true;
}

std::optional<std::uint64_t> LiveKernelMemory::translate(std::uint64_t address) const
{
    if (!architecture_->is_kernel_address(address)) {
        return std::nullopt;
    }
    address = architecture_->without_tag(address);
    const std::uint64_t offset = address % page_size_;
    if (address - offset != page_) {
        if (!take_steps(1)) {
            return std::nullopt;
        }
        page_ = address - offset;
        page_phys_.reset();
        if (space_.linear_map && space_.linear_map->range.contains(page_)) {
            page_phys_ = page_ - space_.linear_map->distance;
        } else if (const Translation found = space_.translate(page_, *memory_);
                   found.mapping == Mapping::kMapped) {
            page_phys_ = found.phys;
        }
        if (page_phys_ && !is_ram(*memory_, *page_phys_, page_size_)) {
            page_phys_.reset();
        }
    }
    return page_phys_ ? std::optional(*page_phys_ + offset) : std::nullopt;
}

bool LiveKernelMemory::read(std::uint64_t address, std::span<std::byte> out) const
{
    while (!out.empty()) {
        const auto phys = translate(address);
        const auto piece = out.first(std::min<std::uint64_t>(out.size(), page_size_ - address % page_size_));
        if (!phys || !take_steps(1 + piece.size() / kBytesPerStep) || !memory_->read(*phys, piece)) {
            return false;
        }
        address += piece.size();
        out = out.subspan(piece.size());
    }
    return true;
}

std::unique_ptr<const TranslationTables> LiveKernelMemory::tables_of_process(std::uint64_t root) const
{
    const auto phys = translate(root);
    return phys && space_.tables ? space_.tables->with_root(*phys) : nullptr;
}

TableWalk LiveKernelMemory::walk(const TranslationTables& tables, std::uint64_t address) const
{
    return take_steps(tables.levels()) ? tables.walk(address, *memory_) : TableWalk{};
}

std::uint64_t LiveKernelMemory::linear_address(std::uint64_t phys) const
{
    if (!space_.linear_map) {
        return 0;
    }
    const std::uint64_t address = phys + space_.linear_map->distance;
    return space_.linear_map->range.contains(address) ? address : 0;
}

bool LiveKernelMemory::is_in_image(std::uint64_t address) const
{
    const auto phys = translate(address);
    return phys && space_.image_distance && *phys + *space_.image_distance == address;
}

bool LiveKernelMemory::is_writable(std::uint64_t address) const
{
    const Translation found = take_steps(1) ? space_.translate(address, *memory_) : Translation{};
    return found.mapping == Mapping::kMapped && found.writable;
}

std::uint64_t LiveKernelMemory::pointer(std::uint64_t address) const
{
    return as_pointer(read_u64(address).value_or(0));
}

std::uint64_t LiveKernelMemory::as_pointer(std::uint64_t value) const
{
    return architecture_->is_kernel_address(value) ? architecture_->without_tag(value) : 0;
}

} // namespace kmd
