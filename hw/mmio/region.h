// SPDX-License-Identifier: GPL-2.0-or-later
//
// A region of guest memory as the guest describes it in a slot (register specification, section 5).
#pragma once

#include "common/kmemdump_md_regs.h"

#include <array>
#include <cstdint>
#include <string>

namespace kmd
{

/// One region as the guest described it. Addresses and size in bytes.
struct Region {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::array<char, KMD_NAME_SIZE> name{};
    std::uint32_t id = 0;
    std::uint32_t kind = KMD_KIND_MEMORY;
    /// KMD_FLAG_VITAL: worth more than the rest when not all of it can be written.
    bool vital = false;
    /// KMD_FLAG_FREED: its memory was freed since it was registered, and must not be taken for it.
    bool freed = false;
};

/// The name up to its padding, with everything that is not printable ASCII replaced: it comes from
/// the guest and goes into logs.
std::string printable_name(const Region& region);

/// Whether a status means that the slot is a valid region.
constexpr bool accepted(kmd_slot_status status)
{
    return status == KMD_SLOT_OK || status == KMD_SLOT_OK_OVERLAP;
}

} // namespace kmd
