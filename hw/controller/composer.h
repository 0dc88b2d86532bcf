// SPDX-License-Identifier: GPL-2.0-or-later
//
// Composes the plan of a file from the guest's regions, in the requested format if possible.
#pragma once

#include "common/machine.h"
#include "hw/controller/config.h"
#include "hw/controller/host.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/snapshot.h"

#include <string>
#include <vector>

namespace kmd
{

struct Composition {
    /// What the plan was made from.
    Snapshot snapshot;
    Plan plan;
    /// The format of the plan.
    Format format = Format::kEnriched;
    /// What the dump lacks, or how it differs from what was requested; one sentence each.
    std::vector<std::string> remarks;
};

/// The guest's Linux kernel, if the dump has to contain what can be found of it.
struct FoundKernel {
    const LinuxKernel* kernel = nullptr;
    /// The whole text of its vmcoreinfo.
    std::string vmcoreinfo;
    /// Only what the user asked for besides: its types, its variables, its objects. The guest registered the
    /// rest.
    bool only_extras = false;
};

/// `regions`: those of the table. `abandoned`: the kernel that requests the dump is not the one that
/// registered them. `memory` is valid for the duration of this attempt.
Composition compose(const Settings& settings, bool abandoned, std::vector<Region> regions,
                    const Machine& machine, GuestMemory& memory, Cpus& cpus, const FoundKernel& kernel);

} // namespace kmd
