// SPDX-License-Identifier: GPL-2.0-or-later
//
// The plan of a dump: what its file consists of, before anything is written. Composers make it, sinks execute
// it.
#pragma once

#include "hw/memory/region.h"

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

} // namespace kmd
