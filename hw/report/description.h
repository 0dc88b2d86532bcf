// SPDX-License-Identifier: GPL-2.0-or-later
//
// The region table in JSON, for people and programs at the host.
#pragma once

#include "hw/mmio/region_table.h"

#include <string>

namespace kmd
{

/// What a slot status means, in words.
const char* status_text(kmd_slot_status status);

/// The word for a kind: "memory", "elf-header" or "vmcoreinfo".
const char* kind_text(std::uint32_t kind);

/// A slot and its status in a sentence, for the log.
std::string describe_slot(const RegionTable& table, std::uint32_t slot);

/// An array with an object for each valid slot, in slot order: slot, id, name, kind, phys, virt, size and
/// status. Addresses are text in hexadecimal, because JSON numbers lose bits in many programs; `size` is
/// in bytes.
std::string describe_regions(const RegionTable& table);

} // namespace kmd
