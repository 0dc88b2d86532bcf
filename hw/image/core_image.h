// SPDX-License-Identifier: GPL-2.0-or-later
//
// Composes an ELF core image from the region table. A pure function from regions, guest memory and
// CPU notes to a plan; the sinks execute the plan. The layout, and why it is so, is in
// docs/core-image.md.
#pragma once

#include "common/machine.h"
#include "hw/mmio/region_table.h"
#include "hw/snapshot/guest_memory.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// DUMP_ELF_INCOMPLETE of makedumpfile, in e_flags; crash warns when it is set.
inline constexpr std::uint32_t kElfIncomplete = 1;

/// One PT_LOAD: memory that is contiguous in physical and in virtual addresses. Bytes.
struct Segment {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::uint64_t file_offset = 0;
};

/// A file of a dump that is a folder.
struct Part {
    std::string name;
    std::uint64_t size = 0;
};

/// A file, ready to be written.
struct Plan {
    /// The beginning of the file: ELF header, program headers, notes, padding. Marked incomplete.
    std::vector<std::byte> head;
    /// What follows the head, in file order: guest RAM where it lies in host memory. Not owned;
    /// valid as long as GuestMemory::map() says.
    std::vector<std::span<const std::byte>> body;
    /// Program headers of type PT_LOAD, in the order that they have in the file. The order of their
    /// memory is another.
    std::vector<Segment> segments;
    /// How many of the regions are in the file.
    std::uint32_t regions = 0;
    /// How many pieces of memory are in it that the guest's list names.
    std::uint32_t listed = 0;
    /// Regions of memory that are no part of it because the guest's own header does not describe them.
    std::uint32_t not_described = 0;
    /// Status of each region that was given, in that order; those not accepted were left out.
    std::vector<kmd_slot_status> statuses;
    /// Where in the file the 32-bit e_flags stands that marks it incomplete, in bytes, and what it
    /// is when the file is complete.
    std::uint64_t flags_offset = 0;
    std::uint32_t complete_flags = 0;
    /// Size of the whole file in bytes.
    std::uint64_t file_size = 0;
    /// How much of its beginning is worth more than all the rest, in bytes: headers, registers, log and
    /// stacks. A file that has to be cut is cut behind it.
    std::uint64_t vital_size = 0;
    /// Empty when it is one file. Otherwise head and body are cut into these files, in this order, and
    /// the first has the mark of completeness.
    std::vector<Part> parts;
};

/// What a core image is made from.
struct ImageParts {
    /// The guest's. Rejected ones cost nothing but themselves. Its own ELF header stays out as well: gdb
    /// takes a segment that begins with one for another core.
    std::span<const Region> regions;
    /// What the guest's list names (register specification, section 5.2); known to be RAM.
    std::span<const Region> listed;
    /// Further memory, known to be RAM, that the guest did not register.
    std::span<const Region> stacks;
    std::span<const Region> tables;
    /// Complete ELF notes, one NT_PRSTATUS for each CPU, in CPU order; may be empty.
    std::span<const std::byte> cpu_notes;
    /// Whether the memory of `regions` is wanted. If not they still are checked, and vmcoreinfo is read.
    bool with_regions = true;
};

/// Every byte of guest RAM is in the body at most once, however many regions hold it. What is worth most
/// comes first in the file: the log, the stacks, the page tables, then the rest.
Plan compose_core_image(const ImageParts& parts, GuestMemory& memory, const Machine& machine);

} // namespace kmd
