// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/page_tables.h"

#include "common/bits.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace kmd
{

namespace
{

/// Linux keeps tramp_pg_dir and reserved_pg_dir one or two pages from swapper_pg_dir; which, and on which
/// side, differs between releases.
constexpr std::uint64_t kRootsApart = 4;

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

    PageTables kernel;
    Aarch64Tables& tables = kernel.tables_;
    tables.page_shift = static_cast<unsigned>(std::countr_zero(guest_page_size(vmcoreinfo)));
    kernel.root_in_image_ = *root & ~(tables.page_size() - 1);
    tables.root = (*root - *image_distance) & ~(tables.page_size() - 1);
    kernel.linear_distance_ = (~std::uint64_t{0} << *va_bits) - *phys_offset;
    // The lower half of the kernel's addresses; of a kernel for 52 bits, all but the upper half of 48.
    kernel.linear_map_ = {~std::uint64_t{0} << *va_bits,
                          (~std::uint64_t{0} << (std::min<std::uint64_t>(*va_bits, 48) - 1)) - 1};

    const auto built_for = static_cast<unsigned>(*va_bits);
    const auto in_use = static_cast<unsigned>(64 - t1sz);
    tables.levels = Aarch64Tables::levels_for(in_use, tables.page_shift);
    // With as many levels in either case the root is the larger one, and the sign bits of an address
    // select its upper part.
    tables.address_bits =
        Aarch64Tables::levels_for(built_for, tables.page_shift) == tables.levels ? built_for : in_use;
    tables.lpa2 = in_use > 48 && tables.page_shift < 16;
    return kernel;
}

std::optional<std::uint64_t> PageTables::translate(std::uint64_t virt, GuestMemory& memory) const
{
    return tables_.translate(virt, memory);
}

bool PageTables::are_sound(GuestMemory& memory) const
{
    return translate(root_in_image_, memory) == tables_.root;
}

bool PageTables::still_map(const Region& region, GuestMemory& memory, Budget& budget) const
{
    if (field(region.virt, 55, 55) == 0) {
        return true;
    }
    // KASAN keeps a tag in the upper byte.
    const std::uint64_t virt = region.virt | bits(63, 56);
    if (virt >= linear_map_.first && virt <= linear_map_.last) {
        return virt == linear_address(region.phys);
    }
    for (std::uint64_t into = 0; into < region.size;) {
        if (budget.descriptors < tables_.levels) {
            return true;
        }
        budget.descriptors -= tables_.levels;
        const auto place = tables_.find(virt + into, memory);
        if (!place || place->phys != region.phys + into) {
            return false;
        }
        const std::uint64_t last = (virt + into) | place->reach;
        if (last == ~std::uint64_t{0}) {
            return true;
        }
        into = last + 1 - virt;
    }
    return true;
}

bool PageTables::owns_root(std::uint64_t root) const
{
    const std::uint64_t apart = kRootsApart * page_size();
    return root - (tables_.root - apart) < 2 * apart + page_size();
}

bool PageTables::collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                         std::set<std::uint64_t>& pages) const
{
    for (std::uint64_t address = range.first;;) {
        const Aarch64Tables::Walk way = tables_.walk(address, memory);
        for (std::size_t i = 0; i < way.table_count; ++i) {
            if (!pages.contains(way.tables.at(i))) {
                if (budget.pages == 0) {
                    return false;
                }
                --budget.pages;
                pages.insert(way.tables.at(i));
            }
            if (i + 1 == way.table_count && way.to_pages) {
                break;
            }
            if (budget.descriptors == 0) {
                return false;
            }
            --budget.descriptors;
        }
        const std::uint64_t last = address | way.reach;
        if (last >= range.last) {
            return true;
        }
        address = last + 1;
    }
}

} // namespace kmd
