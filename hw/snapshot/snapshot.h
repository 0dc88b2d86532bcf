// SPDX-License-Identifier: GPL-2.0-or-later
//
// Everything that is read from the guest for one dump, once, while its CPUs are stopped. Composers make a
// plan from it and read only the saved bytes from the guest.
#pragma once

#include "common/machine.h"
#include "common/vmcoreinfo.h"
#include "hw/linux/linux_guest.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"
#include "hw/snapshot/capture.h"
#include "hw/snapshot/page_tables.h"
#include "hw/snapshot/region_list.h"
#include "hw/snapshot/system_registers.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

struct Snapshot {
    /// Regions of the table. They are checked even if their memory is not wanted.
    CheckedRegions regions;
    bool wants_regions = true;
    /// Text of the VMCOREINFO region; empty if there is none in RAM.
    std::string vmcoreinfo;
    /// Page size of the kernel in bytes; the smallest one if vmcoreinfo does not say.
    std::uint64_t page_size = 0;
    /// The kernel's page tables; none if vmcoreinfo does not describe them.
    std::optional<PageTables> kernel_tables;

    /// Regions of the guest's list (register specification, section 5.2) that are RAM and that the kernel
    /// still maps.
    ListedRegions listed;
    /// Number of listed regions that the kernel no longer maps.
    std::uint32_t stale = 0;
    /// Complete ELF notes, one NT_PRSTATUS for each CPU, in CPU order; empty if not wanted.
    std::vector<std::byte> cpu_notes;
    /// CPUs that run another kernel or firmware; their registers in `cpu_notes` are 0.
    std::vector<unsigned> cpus_of_another_kernel;
    /// What was found of the guest's Linux kernel without its help; none if that is not wanted, or there is
    /// none.
    std::optional<KernelRegions> kernel;
    /// Offsets and addresses of that kernel for readers: see layout_text().
    std::string layout;
    /// What that kernel lacks, and what else a reader has to know: see LinuxKernel.
    std::vector<std::string> kernel_lacks;
    std::vector<std::string> kernel_remarks;
    /// Of that kernel, or of the one that registered its vmcoreinfo; none if they are not wanted.
    std::optional<KernelTypes> types;
    /// What else of that kernel is wanted: its variables, its objects.
    std::vector<KernelPart> parts;
    /// Further RAM that the guest did not register.
    std::vector<Region> stacks;
    std::vector<Region> tables;
    /// The budget for page tables was used up, so some are missing.
    bool tables_cut = false;
};

/// Reads the table and what it leads to; formats other than enriched need no more.
Snapshot read_regions(std::vector<Region> regions, const Machine& machine, GuestMemory& memory);

/// Adds what can be found of a kernel without the guest's help. `vmcoreinfo`: its whole text.
void read_kernel(Snapshot& snapshot, const LinuxKernel& kernel, const std::string& vmcoreinfo,
                 const Machine& machine, GuestMemory& memory);

/// A function that tells whether a CPU uses the page tables of the kernel of a vmcoreinfo for kernel
/// addresses, or could, as far as the emulator tells. The registers are read once, now. `memory` outlives it.
LinuxGuest::RunsOnCpus runs_on_a_cpu(std::span<const std::byte> cpu_notes, const Machine& machine,
                                     SystemRegisters& registers, GuestMemory& memory);

/// Reads the rest, for an enriched dump. `abandoned`: the kernel that requests the dump is not the one that
/// registered the regions, so the CPUs do not run the latter. `cpu_notes`: those of all CPUs.
/// `kernel`: the one that was found; null if none was.
void read_enrichment(Snapshot& snapshot, const Capture& capture, bool abandoned,
                     std::vector<std::byte> cpu_notes, const LinuxKernel* kernel, const Machine& machine,
                     GuestMemory& memory, SystemRegisters& registers);

} // namespace kmd
