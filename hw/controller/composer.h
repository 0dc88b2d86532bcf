// SPDX-License-Identifier: GPL-2.0-or-later
//
// From the guest's regions to the plan of a file, in the format that was asked for where that is possible.
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
    /// What the plan is made of.
    Snapshot snapshot;
    Plan plan;
    /// The format that it has.
    Format format = Format::kEnriched;
    /// What the dump lacks or has otherwise than asked for, a sentence each.
    std::vector<std::string> remarks;
};

/// `regions`: the table's. `abandoned`: the kernel that asks is not the one that registered them. `memory` is
/// the guest's for the length of this attempt.
Composition compose(const Settings& settings, bool abandoned, std::vector<Region> regions,
                    const Machine& machine, GuestMemory& memory, Cpus& cpus);

} // namespace kmd
