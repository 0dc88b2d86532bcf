// SPDX-License-Identifier: GPL-2.0-or-later
//
// A range of addresses, both ends inclusive: so it can end with the last byte of the address space.
#pragma once

#include <cstdint>

namespace kmd
{

struct AddressRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    bool contains(std::uint64_t address) const { return address >= first && address <= last; }
};

} // namespace kmd
