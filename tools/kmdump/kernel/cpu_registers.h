// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of each CPU, from the NT_PRSTATUS notes.
#pragma once

#include "common/cpu_registers.h"
#include "common/result.h"
#include "kmdump/core/core_file.h"

#include <vector>

namespace kmdump
{

/// In the order of the CPUs. An error if the machine of the core image is unknown or a note is too short.
kmd::Result<std::vector<kmd::CpuRegisters>> read_cpu_registers(const CoreSummary& summary);

} // namespace kmdump
