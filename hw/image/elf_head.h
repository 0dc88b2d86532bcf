// SPDX-License-Identifier: GPL-2.0-or-later
//
// The head of a core image: ELF header, program headers and notes.
#pragma once

#include "common/machine.h"
#include "hw/image/plan.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// Offsets and sizes of the parts of the head, in bytes. It ends on a page boundary of the file, where the
/// body begins, so that the kernel copies whole pages.
struct HeadLayout {
    /// Number of program headers, including PT_NOTE.
    std::uint64_t program_headers = 0;
    /// Whether their number does not fit e_phnum and is in a section header at `section_offset` instead.
    bool extended = false;
    std::uint64_t section_offset = 0;
    std::uint64_t notes_offset = 0;
    std::uint64_t notes_size = 0;
    std::uint64_t body_offset = 0;
};

HeadLayout layout_head(std::size_t segments, std::size_t notes_size);

/// The bytes of the head, marked incomplete. `segments` have their file offsets.
std::vector<std::byte> serialise_head(const HeadLayout& layout, std::span<const Segment> segments,
                                      std::span<const std::byte> notes, const Machine& machine);

} // namespace kmd
