// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of a CPU, as the NT_PRSTATUS note of a core image has them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kmd
{

struct CpuRegisters {
    /// Those with a number behind a name that they share, such as x0.
    std::string_view general_name;
    std::vector<std::uint64_t> general;
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;
    /// The word of the CPU's state, and its name.
    std::string_view state_name;
    std::uint64_t state = 0;
    /// Points to the frame record of the function that runs.
    std::uint64_t frame_pointer = 0;
    /// Where a function that made no frame record returns to; 0 on an architecture without such a register.
    std::uint64_t link = 0;
    /// False while the CPU ran a program.
    bool in_kernel = true;

    /// Nobody wrote anything into them since a reset, or since the dump's writer made room for them.
    bool are_zeros() const;
};

} // namespace kmd
