// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fault injection, for tests of the guest's framework and of the writers. Off unless the user enables it;
// docs/device.md describes each fault.
#pragma once

#include <cstdint>
#include <string>

namespace kmd
{

/// All numbers count from 1; 0 is off. Bytes are those of one stored dump.
struct Faults {
    /// The commit since power-on to answer with KMD_SLOT_REFUSED.
    std::uint64_t refuse = 0;
    /// Number of regions that fill the table.
    std::uint64_t full = 0;
    /// The first byte that fails with EIO, as on a broken disk.
    std::uint64_t write_fail = 0;
    /// The first byte that fails with ENOSPC, as on a full disk.
    std::uint64_t write_cut = 0;
    /// The byte before which the emulator is killed.
    std::uint64_t stop = 0;

    bool any() const { return (refuse | full | write_fail | write_cut | stop) != 0; }
};

/// Bytes of a dump that can be written before the first fault.
std::uint64_t bytes_before_fault(const Faults& faults);

/// Triggers the fault at the next byte. Returns the error message, unless it kills the emulator.
std::string inject_fault(const Faults& faults);

} // namespace kmd
