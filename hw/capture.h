// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump holds, and what the host gathers for it beyond the guest's regions.
#pragma once

#include "core_image.h"
#include "guest_memory.h"
#include "region_table.h"
#include "result.h"
#include "system_registers.h"

#include <cstddef>
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
};

/// `regions` are the guest's that are RAM; `cpu_notes` complete ELF notes of every CPU.
Gathered gather(const Capture& capture, std::span<const Region> regions, std::span<const std::byte> cpu_notes,
                const Machine& machine, GuestMemory& memory, SystemRegisters& registers);

} // namespace kmd
