// SPDX-License-Identifier: GPL-2.0-or-later
//
// The plan of a dump: the contents of its file, before anything is written. Composers make it, sinks execute
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

/// DUMP_ELF_INCOMPLETE of makedumpfile, in e_flags; crash warns if it is set.
inline constexpr std::uint32_t kElfIncomplete = 1;

/// One PT_LOAD: memory that is contiguous in physical and virtual addresses. Bytes.
struct Segment {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::uint64_t file_offset = 0;
};

/// A file in a dump that is a folder.
struct Part {
    std::string name;
    std::uint64_t size = 0;
};

/// A file, ready to be written.
struct Plan {
    /// Start of the file: ELF header, program headers, notes, padding. Marked incomplete.
    std::vector<std::byte> head;
    /// What follows the head, in file order: guest RAM in host memory. Not owned; valid as long as
    /// GuestMemory::map() says.
    std::vector<std::span<const std::byte>> body;
    /// The PT_LOAD program headers in the order of the file. The order of their data can differ.
    std::vector<Segment> segments;
    /// Number of regions in the file.
    std::uint32_t regions = 0;
    /// Number of regions of the guest's list in the file.
    std::uint32_t listed = 0;
    /// Number of memory regions that are missing because the guest's own header does not describe them.
    std::uint32_t not_described = 0;
    /// File offset in bytes of the 32-bit e_flags with the incomplete mark, and their value in a complete
    /// file.
    std::uint64_t flags_offset = 0;
    std::uint32_t complete_flags = 0;
    /// Size of the whole file in bytes.
    std::uint64_t file_size = 0;
    /// Size in bytes of the most important part, at the start of the file: headers, registers, log and
    /// stacks. Truncation to a limit never removes any of it.
    std::uint64_t vital_size = 0;
    /// Empty for a single file. Otherwise head and body are split into these files in this order; the first
    /// has the incomplete mark.
    std::vector<Part> parts;
};

} // namespace kmd
