// SPDX-License-Identifier: GPL-2.0-or-later
//
// The map of the MMIO window (register specification, sections 4 and 5) as data: the registers and the fields
// of a slot. Registers and RegionTable hold their values.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace kmd
{

enum class Access { kReadOnly, kWriteOnly, kReadWrite };

struct RegisterInfo {
    /// Offset from the start of the window or of the slot. Bytes.
    std::uint32_t offset;
    const char* name;
    /// Width in bytes, a multiple of 4.
    std::uint32_t size;
    Access access;
};

/// In ascending order of offset.
std::span<const RegisterInfo> register_map();
std::span<const RegisterInfo> slot_map();

/// The register that contains the byte at `offset` of the window; null if there is none.
const RegisterInfo* find_register(std::uint64_t offset);

/// Name of the register or slot field at `offset` of the window, for messages: "DOORBELL", "SLOT_COMMIT of
/// slot 3"; empty if there is none.
std::string register_name(std::uint64_t offset);

} // namespace kmd
