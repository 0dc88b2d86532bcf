// SPDX-License-Identifier: GPL-2.0-or-later
//
// The beginning of a core image: ELF header, program headers, and the notes.
#pragma once

#include "common/machine.h"
#include "hw/image/plan.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// Where its parts begin, in bytes. It ends where the body begins, on a page of the file, so that the kernel
/// copies whole pages.
struct HeadLayout {
    /// Program headers, that of the notes among them.
    std::uint64_t program_headers = 0;
    /// Whether their number does not fit e_phnum, and a section header at `section_offset` says it.
    bool extended = false;
    std::uint64_t section_offset = 0;
    std::uint64_t notes_offset = 0;
    std::uint64_t notes_size = 0;
    std::uint64_t body_offset = 0;
};

HeadLayout layout_head(std::size_t segments, std::size_t notes_size);

/// The bytes, marked incomplete. `segments` have their places in the file.
std::vector<std::byte> serialise_head(const HeadLayout& layout, std::span<const Segment> segments,
                                      std::span<const std::byte> notes, const Machine& machine);

} // namespace kmd
