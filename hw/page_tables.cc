// SPDX-License-Identifier: GPL-2.0-or-later
#include "page_tables.h"

#include "vmcoreinfo.h"

#include <elf.h>

#include <bit>
#include <cstddef>
#include <cstring>

namespace kmd
{

namespace
{

constexpr std::uint64_t kDescriptorSize = 8;
constexpr std::uint64_t kValid = 1;
/// Above the last level: the descriptor leads to a table, and is not a block.
constexpr std::uint64_t kTable = 2;

/// Address bits that each level translates: as many as there are descriptors in a page.
constexpr unsigned bits_per_level(unsigned page_shift)
{
    return page_shift - 3;
}

constexpr unsigned levels_for(unsigned address_bits, unsigned page_shift)
{
    const unsigned per_level = bits_per_level(page_shift);
    return (address_bits - page_shift + per_level - 1) / per_level;
}

constexpr std::uint64_t bits(unsigned high, unsigned low)
{
    return (~std::uint64_t{0} >> (63 - high)) & (~std::uint64_t{0} << low);
}

std::optional<std::uint64_t> read_descriptor(GuestMemory& memory, std::uint64_t phys)
{
    const auto bytes = memory.map(phys, kDescriptorSize);
    if (bytes.size() < kDescriptorSize) {
        return std::nullopt;
    }
    std::uint64_t descriptor = 0;
    std::memcpy(&descriptor, bytes.data(), sizeof(descriptor));
    return descriptor;
}

} // namespace

std::optional<PageTables> PageTables::of_kernel(std::string_view vmcoreinfo, const Machine& machine)
{
    const auto root = vmcoreinfo_number(vmcoreinfo, "SYMBOL(swapper_pg_dir)");
    const auto image_distance = vmcoreinfo_number(vmcoreinfo, "NUMBER(kimage_voffset)");
    const auto phys_offset = vmcoreinfo_number(vmcoreinfo, "NUMBER(PHYS_OFFSET)");
    const auto va_bits = vmcoreinfo_number(vmcoreinfo, "NUMBER(VA_BITS)");
    if (machine.elf_machine != EM_AARCH64 || !root || !image_distance || !phys_offset || !va_bits ||
        *va_bits < 36 || *va_bits > 52) {
        return std::nullopt;
    }
    // A kernel for 52 bits runs on a CPU that has 48 as well; this tells which. Old kernels do not say.
    const auto t1sz = vmcoreinfo_number(vmcoreinfo, "NUMBER(TCR_EL1_T1SZ)").value_or(64 - *va_bits);
    if (t1sz < 64 - *va_bits || t1sz > 28) {
        return std::nullopt;
    }

    PageTables tables;
    tables.page_shift_ = static_cast<unsigned>(std::countr_zero(guest_page_size(vmcoreinfo)));
    tables.root_ = (*root - *image_distance) & ~(tables.page_size() - 1);
    tables.linear_distance_ = (~std::uint64_t{0} << *va_bits) - *phys_offset;

    const auto built_for = static_cast<unsigned>(*va_bits);
    const auto in_use = static_cast<unsigned>(64 - t1sz);
    tables.levels_ = levels_for(in_use, tables.page_shift_);
    // With as many levels in either case the root is the larger one, and the sign bits of an address
    // select its upper part.
    tables.address_bits_ = levels_for(built_for, tables.page_shift_) == tables.levels_ ? built_for : in_use;
    tables.lpa2_ = in_use > 48 && tables.page_shift_ < 16;
    return tables;
}

unsigned PageTables::shift(unsigned level) const
{
    return page_shift_ + (levels_ - 1 - level) * bits_per_level(page_shift_);
}

std::uint64_t PageTables::index(std::uint64_t address, unsigned level) const
{
    const unsigned top = level == 0 ? address_bits_ : shift(level - 1);
    return (address & bits(top - 1, shift(level))) >> shift(level);
}

std::uint64_t PageTables::table_address(std::uint64_t descriptor) const
{
    if (page_shift_ == 16) {
        return (descriptor & bits(47, 16)) | (descriptor & bits(15, 12)) << 36;
    }
    if (lpa2_) {
        return (descriptor & bits(49, page_shift_)) | (descriptor & bits(9, 8)) << 42;
    }
    return descriptor & bits(47, page_shift_);
}

bool PageTables::collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                         std::set<std::uint64_t>& pages) const
{
    for (std::uint64_t address = range.first;;) {
        std::uint64_t table = root_;
        unsigned level = 0;
        // What the walk cannot tell apart any more: where the next one has to start.
        std::uint64_t step = ~std::uint64_t{0};
        for (; is_ram(memory, table, page_size()); ++level) {
            if (!pages.contains(table)) {
                if (budget.pages == 0) {
                    return false;
                }
                --budget.pages;
                pages.insert(table);
            }
            if (is_last(level)) {
                break;
            }
            if (budget.descriptors == 0) {
                return false;
            }
            --budget.descriptors;
            const auto descriptor =
                read_descriptor(memory, table + index(address, level) * kDescriptorSize).value_or(0);
            step = bits(shift(level) - 1, 0);
            if ((descriptor & (kValid | kTable)) != (kValid | kTable)) {
                break;
            }
            table = table_address(descriptor);
        }
        const std::uint64_t last = address | step;
        if (last >= range.last) {
            return true;
        }
        address = last + 1;
    }
}

} // namespace kmd
