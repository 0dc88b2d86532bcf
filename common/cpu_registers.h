// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of a CPU, from an NT_PRSTATUS note.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kmd
{

struct CpuRegisters {
    /// The numbered registers, and the prefix of their names, such as "x" for x0.
    std::string_view general_name;
    std::vector<std::uint64_t> general;
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;
    /// The processor state register and its name, such as "pstate"; no name if the note has none.
    std::string_view state_name;
    std::uint64_t state = 0;
    /// Address of the frame record of the current function.
    std::uint64_t frame_pointer = 0;
    /// Return address of a function without a frame record, and the register's name; 0 on an architecture
    /// without a link register.
    std::uint64_t link = 0;
    std::string_view link_name = "lr";
    /// False if the CPU was in user mode or in firmware.
    bool in_kernel = true;
    /// The CPU was in firmware, which the kernel called or an interrupt of the kernel entered.
    bool in_firmware = false;

    /// Whether pc, sp and all general registers are 0: the CPU was never started, or the dump has no
    /// registers for it.
    bool are_zeros() const;
};

} // namespace kmd
