// SPDX-License-Identifier: GPL-2.0-or-later
//
// The map of the window (register specification, sections 4 and 5): which registers and fields of a slot
// there are, as data. What they hold is in Registers and RegionTable.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace kmd
{

enum class Access { kReadOnly, kWriteOnly, kReadWrite };

struct RegisterInfo {
    /// In bytes, from the beginning of the window or of the slot.
    std::uint32_t offset;
    const char* name;
    /// Width in bytes: a multiple of 4.
    std::uint32_t size;
    Access access;
};

/// In ascending order of offset.
std::span<const RegisterInfo> register_map();
std::span<const RegisterInfo> slot_map();

/// The register that has the byte at `offset` of the window; null when there is none.
const RegisterInfo* find_register(std::uint64_t offset);

/// For people, the name of what has the byte at `offset` of the window: "DOORBELL", "SLOT_COMMIT of slot 3";
/// empty where the specification has nothing.
std::string register_name(std::uint64_t offset);

} // namespace kmd
