// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of a CPU, from an NT_PRSTATUS note.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

struct CpuRegisters {
    /// The general registers. Their names are a prefix, such as "x" for x0, and a number; or those of
    /// `general_names`, which then has as many.
    std::string_view general_name;
    std::span<const std::string_view> general_names;
    std::vector<std::uint64_t> general;
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;
    /// The processor state register and its name, such as "pstate"; no name if the note has none.
    std::string_view state_name;
    std::uint64_t state = 0;
    /// Address of the frame record of the current function.
    std::uint64_t frame_pointer = 0;
    /// Return address of a function without a frame record, and the register's name; 0 and no name on an
    /// architecture without a link register.
    std::uint64_t link = 0;
    std::string_view link_name = "lr";
    /// False if the CPU was in user mode or in firmware.
    bool in_kernel = true;
    /// The CPU was in firmware, which the kernel called or an interrupt of the kernel entered.
    bool in_firmware = false;

    /// Whether pc, sp and all general registers are 0: the CPU was never started, or the dump has no
    /// registers for it.
    bool are_zeros() const;

    /// The name of a general register, such as "x0" or "rax".
    std::string name_of(std::size_t general_register) const
    {
        return general_names.empty() ? std::string(general_name) + std::to_string(general_register)
                                     : std::string(general_names[general_register]);
    }
};

} // namespace kmd
