// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state of a CPU that the controller needs, read from its NT_PRSTATUS note.
#pragma once

#include "common/cpu_registers.h"
#include "common/machine.h"

#include <cstddef>
#include <span>
#include <vector>

namespace kmd
{

struct CpuState {
    /// Number of the CPU, from 0.
    unsigned cpu = 0;
    CpuRegisters registers;
};

/// One state for each NT_PRSTATUS note of a known layout, in the order of the notes. Empty for an unknown
/// machine. A truncated note ends the list.
std::vector<CpuState> read_cpu_states(std::span<const std::byte> notes, const Machine& machine);

/// The notes without the state of `cpus`. Each of these CPUs keeps its NT_PRSTATUS, because readers count
/// them, with all registers 0; its other notes are removed.
std::vector<std::byte> notes_without(std::span<const unsigned> cpus, std::span<const std::byte> notes,
                                     const Machine& machine);

} // namespace kmd
