// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/page_walk.h"

#include "kmdump/text/little_endian.h"

#include <elf.h>

#include <array>
#include <bit>
#include <cstddef>

namespace kmdump
{

namespace
{

/// Descriptors: bit 0 says that one is valid, bit 1 that it leads to a table, or on the last level to a page.
/// Bits above 47 of the address have another place in each format; no guest has RAM there.
constexpr std::uint64_t kValid = 1;
constexpr std::uint64_t kTable = 2;
constexpr std::uint64_t kAddressMask = 0x0000ffff'ffffffff;

constexpr unsigned kMostAddressBits = 52;

} // namespace

PageWalk::PageWalk(const CoreFile& core, const Vmcoreinfo& vmcoreinfo) : core_(&core)
{
    const auto page = vmcoreinfo.number("PAGESIZE");
    if (page && (*page == 4096 || *page == 16384 || *page == 65536)) {
        page_shift_ = static_cast<unsigned>(std::countr_zero(*page));
    }
    const auto root = vmcoreinfo.hex_number("SYMBOL(swapper_pg_dir)");
    const auto image_offset = vmcoreinfo.number("NUMBER(kimage_voffset)");
    const auto t1sz = vmcoreinfo.number("NUMBER(TCR_EL1_T1SZ)");
    if (core.summary().machine != EM_AARCH64 || !root || !image_offset || !t1sz || *t1sz > 39 ||
        64 - *t1sz > kMostAddressBits) {
        return;
    }
    address_bits_ = static_cast<unsigned>(64 - *t1sz);
    root_ = *root - *image_offset;
}

Translation PageWalk::translate(std::uint64_t address) const
{
    if (!root_ || address >> address_bits_ != ~std::uint64_t{0} >> address_bits_) {
        return {};
    }
    const unsigned bits_per_level = page_shift_ - 3;
    const unsigned levels = (address_bits_ - page_shift_ + bits_per_level - 1) / bits_per_level;
    std::uint64_t table = *root_;
    for (unsigned level = levels; level-- > 0;) {
        const unsigned shift = page_shift_ + level * bits_per_level;
        const unsigned top = level + 1 == levels ? address_bits_ : shift + bits_per_level;
        const std::uint64_t index = (address & ((std::uint64_t{1} << top) - 1)) >> shift;
        std::array<std::byte, 8> bytes;
        if (!core_->read_physical(table + 8 * index, bytes)) {
            return {};
        }
        const auto descriptor = load<std::uint64_t>(bytes, 0);
        if ((descriptor & kValid) == 0 || (level == 0 && (descriptor & kTable) == 0)) {
            return {std::nullopt, true};
        }
        const std::uint64_t inside = (std::uint64_t{1} << shift) - 1;
        if (level == 0 || (descriptor & kTable) == 0) {
            return {(descriptor & kAddressMask & ~inside) | (address & inside), true};
        }
        table = descriptor & kAddressMask & ~(page_size() - 1);
    }
    return {};
}

} // namespace kmdump
