// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/kernel_memory.h"

#include "kmdump/text/little_endian.h"

#include <elf.h>

#include <algorithm>
#include <array>

namespace kmdump
{

namespace
{

/// What holes may add to an array of the kernel.
constexpr std::uint64_t kMostHoles = 64 << 20;

/// Widths of virtual addresses that arm64 kernels are built for or run with.
bool plausible_width(std::uint64_t bits)
{
    return bits >= 36 && bits <= 52;
}

template <class T> std::optional<T> read_number(const KernelMemory& memory, std::uint64_t address)
{
    std::array<std::byte, sizeof(T)> bytes;
    if (!memory.read(address, bytes)) {
        return std::nullopt;
    }
    return load<T>(bytes, 0);
}

} // namespace

KernelMemory::KernelMemory(const CoreFile& core, const Vmcoreinfo& vmcoreinfo)
    : core_(&core), page_walk_(core, vmcoreinfo), size_limit_(core.stored_bytes() + kMostHoles)
{
    if (core.summary().machine != EM_AARCH64) {
        return;
    }
    image_offset_ = vmcoreinfo.number("NUMBER(kimage_voffset)");
    const auto built_bits = vmcoreinfo.number("NUMBER(VA_BITS)");
    const auto phys_offset = vmcoreinfo.number("NUMBER(PHYS_OFFSET)");
    if (!built_bits || !phys_offset || !plausible_width(*built_bits)) {
        return;
    }
    // A kernel built for 52 bits runs with 48 on older CPUs. It keeps the page offset of 52 and
    // corrects PHYS_OFFSET, but its linear map ends where that of 48 bits does.
    std::uint64_t running_bits = *built_bits;
    const auto t1sz = vmcoreinfo.number("NUMBER(TCR_EL1_T1SZ)");
    if (t1sz && plausible_width(64 - *t1sz)) {
        running_bits = 64 - *t1sz;
    }
    linear_offset_ = *phys_offset + (std::uint64_t{1} << *built_bits);
    linear_end_bit_ = std::uint64_t{1} << (running_bits - 1);
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

std::optional<std::uint64_t> KernelMemory::read_u64(std::uint64_t address) const
{
    return read_number<std::uint64_t>(*this, address);
}

std::optional<std::uint32_t> KernelMemory::read_u32(std::uint64_t address) const
{
    return read_number<std::uint32_t>(*this, address);
}

std::optional<std::uint64_t> KernelMemory::to_physical(std::uint64_t address) const
{
    if (linear_offset_ && (address & linear_end_bit_) == 0) {
        return address + *linear_offset_;
    }
    const Translation walked = page_walk_.translate(address);
    if (walked.known) {
        return walked.physical;
    }
    if (image_offset_) {
        return address - *image_offset_;
    }
    return std::nullopt;
}

} // namespace kmdump
