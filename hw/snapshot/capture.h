// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump holds, and what the host gathers for it beyond the guest's regions.
#pragma once

#include "common/result.h"
#include "hw/image/core_image.h"
#include "hw/mmio/region_table.h"
#include "hw/snapshot/guest_memory.h"
#include "hw/snapshot/system_registers.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

struct Capture {
    /// The regions that the guest registered.
    bool regions = true;
    /// The registers of every CPU.
    bool cpus = true;
    /// The stacks that the CPUs stand on.
    bool stacks = true;
    /// The page tables that lead to the regions and stacks.
    bool tables = true;
};

/// A list of the words regions, cpus, stacks and tables with ',' or '+' between them, the latter because
/// QEMU's command line takes a comma for itself. An error says what is expected.
Result<Capture> parse_capture(const std::string& list);

/// What the host found without the guest's help.
struct Gathered {
    std::vector<Region> stacks;
    std::vector<Region> tables;
    /// The page tables are larger than is good for the host, so some of them are missing.
    bool tables_cut = false;
    /// Numbers of the CPUs whose page tables are not the kernel's that wrote vmcoreinfo: one that was booted
    /// after it, or firmware, runs on them. Their stacks are not among the stacks.
    std::vector<unsigned> cpus_of_another_kernel;
};

/// `regions` are the guest's that are RAM; `cpu_notes` complete ELF notes of every CPU.
Gathered gather(const Capture& capture, std::span<const Region> regions, std::span<const std::byte> cpu_notes,
                const Machine& machine, GuestMemory& memory, SystemRegisters& registers);

/// Takes out of `listed`, the regions of the guest's list, those that the kernel of vmcoreinfo, which is
/// among `regions`, does not map any more where they say: their memory was freed meanwhile. Returns how many.
std::uint32_t drop_stale(std::vector<Region>& listed, std::span<const Region> regions, const Machine& machine,
                         GuestMemory& memory);

} // namespace kmd
