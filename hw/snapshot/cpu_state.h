// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the controller needs to know of a CPU, read out of its NT_PRSTATUS note.
#pragma once

#include "common/machine.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// Kernel virtual addresses, or physical ones as long as the CPU's MMU is off.
struct CpuState {
    /// Number of the CPU, from 0 on.
    unsigned cpu = 0;
    std::uint64_t stack_pointer = 0;
    /// The frame record of the function that runs.
    std::uint64_t frame_pointer = 0;
    /// The CPU runs a user's program, and so stands on the user's stack.
    bool in_user_mode = false;
    std::uint64_t program_counter = 0;
    /// Where a function that made no frame record returns to.
    std::uint64_t link_register = 0;
    /// The word of the CPU's state, as the architecture has it.
    std::uint64_t state = 0;
};

/// One for each NT_PRSTATUS note whose layout is known, in the order of the notes. Empty for a machine
/// that we do not know. Notes that are cut off end the list.
std::vector<CpuState> read_cpu_states(std::span<const std::byte> notes, const Machine& machine);

/// The notes without the state of some CPUs. Each still has its NT_PRSTATUS, in its place and with its
/// number, because readers count them; its registers are zeros. Its other notes are left out.
std::vector<std::byte> without_state_of(std::span<const unsigned> cpus, std::span<const std::byte> notes,
                                        const Machine& machine);

} // namespace kmd
