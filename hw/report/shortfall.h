// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the guest wanted saved and a dump lacks. A dump with a shortfall is partial, however well it was
// written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kmd
{

struct Shortfall {
    /// Valid slots that were left out.
    std::uint32_t regions_rejected = 0;
    /// Regions whose commit was refused, and that were never committed with success since.
    std::uint64_t regions_refused = 0;
    /// Regions that the guest's own ELF header does not describe, if that is the file's.
    std::uint32_t regions_not_described = 0;
    /// The guest's own counts: registers NOT_REGISTERED and NOT_LISTED.
    std::uint32_t regions_not_registered = 0;
    std::uint32_t extents_not_listed = 0;
    /// Entries of the guest's list that are not RAM, or that the guest's page tables show elsewhere or
    /// nowhere by now.
    std::uint64_t extents_rejected = 0;
    std::uint64_t extents_stale = 0;
    /// The guest's list is longer than what is read of it.
    bool list_cut = false;
    /// A region of kind VMCOREINFO holds no vmcoreinfo: the kernel that registered it is gone.
    bool vmcoreinfo_lost = false;
    /// Indices of CPUs that run another kernel than the one that vmcoreinfo is of.
    std::vector<unsigned> cpus_of_another_kernel;

    bool any() const
    {
        return regions_rejected > 0 || regions_refused > 0 || regions_not_described > 0 ||
               regions_not_registered > 0 || extents_not_listed > 0 || extents_rejected > 0 ||
               extents_stale > 0 || list_cut || vmcoreinfo_lost || !cpus_of_another_kernel.empty();
    }
};

/// The shortfall for a person, behind a comma each: ", 2 regions rejected"; empty when there is none.
std::string describe_shortfall(const Shortfall& shortfall);

} // namespace kmd
