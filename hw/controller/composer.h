// SPDX-License-Identifier: GPL-2.0-or-later
//
// From the guest's regions to the plan of a file, in the format that was asked for where that is possible.
#pragma once

#include "common/machine.h"
#include "common/result.h"
#include "hw/controller/config.h"
#include "hw/controller/diagnostics.h"
#include "hw/controller/host.h"
#include "hw/image/core_image.h"
#include "hw/mmio/region.h"
#include "hw/report/shortfall.h"
#include "hw/snapshot/guest_memory.h"
#include "hw/snapshot/region_list.h"

#include <span>

namespace kmd
{

struct Composition {
    Plan plan;
    /// The format that it has.
    Format format = Format::kEnriched;
};

class Composer
{
  public:
    /// All outlive it. `memory` is the guest's for the length of this attempt.
    Composer(const Settings& settings, const Machine& machine, Cpus& cpus, GuestMemory& memory,
             Diagnostics& diagnostics)
        : settings_(settings), machine_(machine), cpus_(cpus), memory_(memory), diagnostics_(diagnostics)
    {
    }

    /// `abandoned`: the kernel that asks is not the one that registered the regions. Adds to `shortfall`
    /// what it finds missing.
    Composition compose(std::span<const Region> regions, bool abandoned, Shortfall& shortfall);

  private:
    Result<Plan> compose_as_wanted(std::span<const Region> regions, bool abandoned, Shortfall& shortfall);
    Plan compose_enriched(std::span<const Region> regions, bool abandoned, Shortfall& shortfall);
    ListedRegions read_listed(std::span<const Region> regions, Shortfall& shortfall);
    Gathered gather_beyond(std::span<const Region> in_ram, std::span<const std::byte> cpu_notes,
                           bool abandoned);
    void warn_of_another_kernel(bool abandoned, std::span<const unsigned> cpus);

    const Settings& settings_;
    const Machine& machine_;
    Cpus& cpus_;
    GuestMemory& memory_;
    Diagnostics& diagnostics_;
};

} // namespace kmd
