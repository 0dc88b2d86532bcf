// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's own page tables, found through its vmcoreinfo: which pages of them does a reader need
// that walks from swapper_pg_dir to an address, and does an address lead where the guest says?
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
    /// None for a machine that we do not know, and where vmcoreinfo lacks a value or has one that no Linux
    /// has.
    static std::optional<PageTables> of_kernel(const Vmcoreinfo& vmcoreinfo, const Machine& machine);

    /// Where the kernel's linear map shows the byte at guest-physical address `phys`.
    std::uint64_t linear_address(std::uint64_t phys) const { return phys + space_.linear_map->distance; }

    std::uint64_t page_size() const { return space_.tables->page_size(); }

    /// What a walk may cost: the tables are the guest's, and can lead in circles.
    struct Budget {
        std::uint32_t descriptors = 200'000;
        std::uint32_t pages = 8'192;
    };

    /// The guest-physical address behind a virtual one of the kernel; none where nothing is mapped.
    std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const;

    /// Whether the tables are there and lead to themselves. Otherwise they are not what vmcoreinfo says.
    bool are_sound(GuestMemory& memory) const;

    /// Whether the kernel still has the region where it is said to be: in the linear map by arithmetic,
    /// elsewhere page by page. What no table of the kernel can tell, and what the budget of descriptors does
    /// not reach, counts as still there.
    bool still_map(const Region& region, GuestMemory& memory, Budget& budget) const;

    /// Whether a CPU whose first table for kernel addresses is at guest-physical address `root` runs this
    /// kernel: the tables for user mode and the empty one are kept next to swapper_pg_dir.
    bool owns_root(std::uint64_t root) const;

    /// Adds the guest-physical address of every table page that a walk to an address of `range` reads.
    /// What is not RAM is left out, with what would follow. False when the budget is used up.
    bool collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                 std::set<std::uint64_t>& pages) const;

  private:
    PageTables(const Architecture& architecture, KernelSpace space)
        : architecture_(&architecture), space_(std::move(space))
    {
    }

    const Architecture* architecture_;
    /// All of it is known.
    KernelSpace space_;
};

} // namespace kmd
