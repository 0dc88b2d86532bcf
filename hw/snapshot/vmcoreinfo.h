// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's vmcoreinfo: key=value lines in which the kernel tells readers about itself.
#pragma once

#include "hw/mmio/region_table.h"
#include "hw/snapshot/guest_memory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

/// The text of the region of kind VMCOREINFO, up to its first zero byte and 64 KiB at most (Linux
/// fills one page). Empty when there is no such region. The regions are in RAM.
std::string read_vmcoreinfo(std::span<const Region> regions, GuestMemory& memory);

/// PAGESIZE of that text in bytes if it is a page size that Linux has (4, 16 or 64 KiB), and
/// kSmallestPage otherwise.
std::uint64_t guest_page_size(std::string_view vmcoreinfo);

/// Appends the ELF note "VMCOREINFO" of type 0. Nothing when the text is empty.
void append_vmcoreinfo_note(std::vector<std::byte>& notes, std::string_view text);

} // namespace kmd
