// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of each CPU, out of the notes of a core image.
#pragma once

#include "common/result.h"
#include "kmdump/core/core_file.h"

#include <array>
#include <cstdint>
#include <vector>

namespace kmdump
{

/// The general registers of an AArch64 CPU.
struct CpuRegisters {
    std::array<std::uint64_t, 31> x{};
    std::uint64_t sp = 0;
    std::uint64_t pc = 0;
    std::uint64_t pstate = 0;

    std::uint64_t frame_pointer() const { return x[29]; }
    std::uint64_t link() const { return x[30]; }

    /// False while it ran a program.
    bool in_kernel() const;
};

/// In the order of the CPUs. An error when the core image is of another machine, or a note too short.
kmd::Result<std::vector<CpuRegisters>> read_cpu_registers(const CoreSummary& summary);

} // namespace kmdump
