// SPDX-License-Identifier: GPL-2.0-or-later
//
// The region table as JSON, for users and programs on the host.
#pragma once

#include "hw/mmio/region_table.h"

#include <string>

namespace kmd
{

/// What a slot status means, in words.
const char* status_text(kmd_slot_status status);

/// The name of a kind: "memory", "elf-header", "vmcoreinfo" or "list".
const char* kind_text(std::uint32_t kind);

/// Describes a slot and its status, for the log.
std::string describe_slot(const RegionTable& table, std::uint32_t slot);

/// An array with an object for each valid slot, in slot order: slot, id, name, kind, phys, virt, size and
/// status. Addresses are hexadecimal strings, because many programs lose bits of JSON numbers; `size` is in
/// bytes.
std::string describe_regions(const RegionTable& table);

} // namespace kmd
