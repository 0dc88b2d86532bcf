// SPDX-License-Identifier: GPL-2.0-or-later
//
// All that is read of the guest for one dump, once, while its CPUs are stopped. Composers make a plan of it
// and ask the guest for nothing but the bytes.
#pragma once

#include "common/machine.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"
#include "hw/snapshot/capture.h"
#include "hw/snapshot/page_tables.h"
#include "hw/snapshot/region_list.h"
#include "hw/snapshot/system_registers.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmd
{

struct Snapshot {
    /// The table's. They are checked whether their memory is wanted or not.
    CheckedRegions regions;
    bool wants_regions = true;
    /// The text of the region of kind VMCOREINFO; empty when there is none in RAM.
    std::string vmcoreinfo;
    /// Of the kernel, in bytes; the smallest when vmcoreinfo does not say.
    std::uint64_t page_size = 0;
    /// The page tables that vmcoreinfo leads to; none when it does not.
    std::optional<PageTables> kernel_tables;

    /// What the guest's list names (register specification, section 5.2) and its kernel still maps; RAM.
    ListedRegions listed;
    /// How many more were in the list and are not mapped any more.
    std::uint32_t stale = 0;
    /// Complete ELF notes, one NT_PRSTATUS for each CPU, in CPU order; empty when they are not wanted.
    std::vector<std::byte> cpu_notes;
    /// CPUs that run another kernel, or firmware: `cpu_notes` has zeros for their registers.
    std::vector<unsigned> cpus_of_another_kernel;
    /// Further memory, known to be RAM, that the guest did not register.
    std::vector<Region> stacks;
    std::vector<Region> tables;
    /// The page tables are larger than is good for the host, so some of them are missing.
    bool tables_cut = false;
};

/// The snapshot as far as the table goes, which is all that formats of the guest's need.
Snapshot read_regions(std::vector<Region> regions, const Machine& machine, GuestMemory& memory);

/// What an enriched dump has beyond that. `abandoned`: the kernel that asks is not the one that registered
/// the regions, so the CPUs are not its own. `cpu_notes`: of every CPU.
void read_beyond(Snapshot& snapshot, const Capture& capture, bool abandoned, std::vector<std::byte> cpu_notes,
                 const Machine& machine, GuestMemory& memory, SystemRegisters& registers);

} // namespace kmd
