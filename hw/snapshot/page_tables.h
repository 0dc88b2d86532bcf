// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's own page tables, found through its vmcoreinfo. Tells which table pages a reader needs that
// walks from swapper_pg_dir to an address, and whether an address maps what the guest says.
#pragma once

#include "common/address_range.h"
#include "common/architecture.h"
#include "common/kernel_space.h"
#include "common/machine.h"
#include "common/vmcoreinfo.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace kmd
{

class PageTables
{
  public:
    /// None for an unknown machine, or if vmcoreinfo lacks a value or has an impossible one.
    static std::optional<PageTables> of_kernel(const Vmcoreinfo& vmcoreinfo, const Machine& machine,
                                               GuestMemory& memory);

    /// Address in the kernel's linear map of the byte at guest-physical address `phys`.
    std::uint64_t linear_address(std::uint64_t phys) const { return phys + space_.linear_map->distance; }

    std::uint64_t page_size() const { return space_.tables->page_size(); }

    /// Limits of all walks together: the guest writes the tables and can make them loop.
    struct Budget {
        std::uint32_t descriptors = 200'000;
        std::uint32_t pages = 8'192;
    };

    /// The guest-physical address of a kernel virtual one; none if it is not mapped.
    std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const;

    /// Whether the tables map their own root. Otherwise they are not the ones that vmcoreinfo describes.
    bool are_sound(GuestMemory& memory) const;

    /// Whether the kernel still maps the region at its virtual address: in the linear map by arithmetic,
    /// elsewhere page by page. True if the tables cannot tell, or once the budget of descriptors is used up.
    bool still_map(const Region& region, GuestMemory& memory, Budget& budget) const;

    /// Whether a CPU whose root table for kernel addresses is at guest-physical address `root` runs this
    /// kernel: Linux keeps the tables for user mode and the empty one next to swapper_pg_dir.
    bool owns_root(std::uint64_t root) const;

    /// Whether these tables, such as those of a process, map the root of this kernel where the kernel has it.
    /// For CPUs that translate kernel addresses with the tables of the current process.
    bool are_reached_from(const TranslationTables& tables, GuestMemory& memory) const;

    /// Adds the guest-physical address of every table page that a walk to an address in `range` reads. Omits
    /// tables that are not RAM and those below them. False if the budget is used up.
    bool collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                 std::set<std::uint64_t>& pages) const;

  private:
    PageTables(const Architecture& architecture, KernelSpace space)
        : architecture_(&architecture), space_(std::move(space))
    {
    }

    const Architecture* architecture_;
    /// All optional members are set.
    KernelSpace space_;
};

} // namespace kmd
