// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's vmcoreinfo: key=value lines in which the kernel tells readers about itself.
#pragma once

#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

/// The text of the region of kind VMCOREINFO, which is RAM, up to its first zero byte and 64 KiB at most
/// (Linux fills one page). Empty when `region` is null.
std::string read_vmcoreinfo(const Region* region, GuestMemory& memory);

/// Appends the ELF note "VMCOREINFO" of type 0. Nothing when the text is empty.
void append_vmcoreinfo_note(std::vector<std::byte>& notes, std::string_view text);

} // namespace kmd
