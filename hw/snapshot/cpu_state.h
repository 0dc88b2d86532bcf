// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state of a CPU that the controller needs, read from its NT_PRSTATUS note.
#pragma once

#include "common/machine.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// Addresses are kernel virtual, or physical while the MMU is off.
struct CpuState {
    /// Number of the CPU, from 0.
    unsigned cpu = 0;
    std::uint64_t stack_pointer = 0;
    /// Address of the frame record of the current function.
    std::uint64_t frame_pointer = 0;
    /// The CPU is in user mode, so it uses a user stack.
    bool in_user_mode = false;
    std::uint64_t program_counter = 0;
    /// Return address of a function without a frame record.
    std::uint64_t link_register = 0;
    /// The processor state register of the architecture.
    std::uint64_t state = 0;
};

/// One state for each NT_PRSTATUS note of a known layout, in the order of the notes. Empty for an unknown
/// machine. A truncated note ends the list.
std::vector<CpuState> read_cpu_states(std::span<const std::byte> notes, const Machine& machine);

/// The notes without the state of `cpus`. Each of these CPUs keeps its NT_PRSTATUS, because readers count
/// them, with all registers 0; its other notes are removed.
std::vector<std::byte> notes_without(std::span<const unsigned> cpus, std::span<const std::byte> notes,
                                     const Machine& machine);

} // namespace kmd
