// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/page_tables.h"

#include <cstddef>

namespace kmd
{

std::optional<PageTables> PageTables::of_kernel(const Vmcoreinfo& vmcoreinfo, const Machine& machine,
                                                GuestMemory& memory)
{
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    if (architecture == nullptr) {
        return std::nullopt;
    }
    KernelSpace space = architecture->kernel_space(vmcoreinfo, memory);
    if (!space.linear_map || !space.image_distance || !space.tables) {
        return std::nullopt;
    }
    return PageTables(*architecture, std::move(space));
}

std::optional<std::uint64_t> PageTables::translate(std::uint64_t virt, GuestMemory& memory) const
{
    const Translation found = space_.translate(virt, memory);
    return found.mapping == Mapping::kMapped ? std::optional(found.phys) : std::nullopt;
}

bool PageTables::are_sound(GuestMemory& memory) const
{
    return translate(space_.root_in_image, memory) == space_.tables->root();
}

bool PageTables::still_map(const Region& region, GuestMemory& memory, Budget& budget) const
{
    if (!architecture_->is_kernel_address(region.virt)) {
        return true;
    }
    const std::uint64_t virt = architecture_->without_tag(region.virt);
    if (space_.linear_map->range.contains(virt)) {
        return virt == linear_address(region.phys);
    }
    for (std::uint64_t into = 0; into < region.size;) {
        if (budget.descriptors < space_.tables->levels()) {
            return true;
        }
        budget.descriptors -= space_.tables->levels();
        const Translation found = space_.translate(virt + into, memory);
        if (found.mapping != Mapping::kMapped || found.phys != region.phys + into) {
            return false;
        }
        const std::uint64_t last = (virt + into) | found.offset_bits;
        if (last == ~std::uint64_t{0}) {
            return true;
        }
        into = last + 1 - virt;
    }
    return true;
}

bool PageTables::owns_root(std::uint64_t root) const
{
    const std::uint64_t apart = space_.other_roots_within;
    return root - (space_.tables->root() - apart) < 2 * apart + page_size();
}

bool PageTables::are_reached_from(const TranslationTables& tables, GuestMemory& memory) const
{
    return tables.find(space_.root_in_image, memory) == space_.tables->root();
}

bool PageTables::collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                         std::set<std::uint64_t>& pages) const
{
    for (std::uint64_t address = range.first;;) {
        const TableWalk walk = space_.tables->walk(address, memory);
        for (std::size_t i = 0; i < walk.table_count; ++i) {
            const std::uint64_t table = walk.tables.at(i);
            if (!pages.contains(table)) {
                if (!is_ram(memory, table & ~(page_size() - 1), page_size())) {
                    break;
                }
                if (budget.pages == 0) {
                    return false;
                }
                --budget.pages;
                pages.insert(table);
            }
            if (i + 1 == walk.table_count && walk.to_pages) {
                break;
            }
            if (budget.descriptors == 0) {
                return false;
            }
            --budget.descriptors;
        }
        const std::uint64_t last = address | walk.reach;
        if (last >= range.last) {
            return true;
        }
        address = last + 1;
    }
}

} // namespace kmd
