// SPDX-License-Identifier: GPL-2.0-or-later
//
// Failures on purpose, for testing the guest's framework and the writers. Off unless the person at
// the host asks for them; docs/device.md describes each.
#pragma once

#include <cstdint>
#include <string>

namespace kmd
{

/// All numbers count from 1; 0 is off. Bytes are those of one dump as it is stored.
struct Faults {
    /// The commit, since power-on, that is answered with KMD_SLOT_REFUSED.
    std::uint64_t refuse = 0;
    /// How many regions make the table full.
    std::uint64_t full = 0;
    /// The first byte that cannot be written: EIO, as a broken disk has it.
    std::uint64_t write_fail = 0;
    /// The first byte that does not fit: ENOSPC, as a full disk has it.
    std::uint64_t write_cut = 0;
    /// The byte ahead of which the emulator is killed.
    std::uint64_t stop = 0;

    bool any() const { return (refuse | full | write_fail | write_cut | stop) != 0; }
};

/// Bytes of a dump that go through before the first fault.
std::uint64_t bytes_before_fault(const Faults& faults);

/// What happens at the byte behind them: the words for it, if the emulator lives to say them.
std::string inject_fault(const Faults& faults);

} // namespace kmd
