// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's vmcoreinfo: key=value lines in which the kernel describes itself to readers.
#pragma once

#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

/// The text of the VMCOREINFO region, which is RAM, up to its first zero byte and at most 64 KiB (Linux fills
/// one page). Empty if `region` is null.
std::string read_vmcoreinfo(const Region* region, GuestMemory& memory);

/// Appends an ELF note "VMCOREINFO", or "KMD_LAYOUT" for layout_text(), of type 0. Does nothing if the text
/// is empty.
void append_layout_note(std::vector<std::byte>& notes, std::string_view text);
void append_vmcoreinfo_note(std::vector<std::byte>& notes, std::string_view text);

} // namespace kmd
