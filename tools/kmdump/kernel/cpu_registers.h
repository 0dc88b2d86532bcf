// SPDX-License-Identifier: GPL-2.0-or-later
//
// The registers of each CPU, out of the notes of a core image.
#pragma once

#include "common/cpu_registers.h"
#include "common/result.h"
#include "kmdump/core/core_file.h"

#include <vector>

namespace kmdump
{

/// In the order of the CPUs. An error when we do not know the core image's machine, or a note is too short.
kmd::Result<std::vector<kmd::CpuRegisters>> read_cpu_registers(const CoreSummary& summary);

} // namespace kmdump
