// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the guest wanted saved but the dump lacks. A dump with a shortfall is partial, even if it was written
// completely.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kmd
{

struct Shortfall {
    /// Valid slots that failed the check at the trigger.
    std::uint32_t regions_rejected = 0;
    /// Regions whose commit was refused and not accepted later.
    std::uint64_t regions_refused = 0;
    /// Regions that the guest's own ELF header does not describe, if the file uses it.
    std::uint32_t regions_not_described = 0;
    /// Counts reported by the guest: registers NOT_REGISTERED and NOT_LISTED.
    std::uint32_t regions_not_registered = 0;
    std::uint32_t extents_not_listed = 0;
    /// Entries of the guest's list that are not RAM, and entries that the guest's page tables no longer map
    /// there.
    std::uint64_t extents_rejected = 0;
    std::uint64_t extents_stale = 0;
    /// The guest's list is too long; only its beginning was read.
    bool list_cut = false;
    /// The page tables are larger than any kernel's; only a part of them was read.
    bool tables_cut = false;
    /// The VMCOREINFO region no longer holds vmcoreinfo: the kernel that registered it is gone.
    bool vmcoreinfo_lost = false;
    /// Numbers of the CPUs that run another kernel than that of vmcoreinfo.
    std::vector<unsigned> cpus_of_another_kernel;

    /// Of the kernel that was found without the guest's help: pieces that it does not have, lists that are
    /// broken, pages for which there was no room, and whether the search was ended.
    std::uint32_t kernel_pieces_missing = 0;
    std::uint32_t kernel_lists_broken = 0;
    std::uint32_t kernel_pages_left_out = 0;
    bool kernel_search_cut = false;

    bool any() const
    {
        return kernel_pieces_missing > 0 || kernel_lists_broken > 0 || kernel_pages_left_out > 0 ||
               kernel_search_cut || regions_rejected > 0 || regions_refused > 0 ||
               regions_not_described > 0 || regions_not_registered > 0 || extents_not_listed > 0 ||
               extents_rejected > 0 || extents_stale > 0 || list_cut || tables_cut || vmcoreinfo_lost ||
               !cpus_of_another_kernel.empty();
    }
};

/// The shortfall as text, each item after a comma: ", 2 regions rejected"; empty if there is none.
std::string describe_shortfall(const Shortfall& shortfall);

} // namespace kmd
