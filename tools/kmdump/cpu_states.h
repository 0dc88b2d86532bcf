// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every CPU was doing, as far as the dump says.
#pragma once

#include "backtrace.h"
#include "cpu_registers.h"
#include "dump.h"
#include "printk_log.h"
#include "result.h"
#include "symbols.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

struct CpuState {
    CpuRegisters registers;
    /// x30 without its signature.
    Frame link;
    bool panicked = false;
    /// Where it was alone, if that was in a program.
    Backtrace backtrace;
};

/// By CPU number. Which one panicked comes from the kernel's own variable, else from its log.
kmd::Result<std::vector<CpuState>> read_cpu_states(const Dump& dump, const Symbols& symbols);

/// The CPU that the kernel's log says panicked: the one that the first line "CPU: N ..." behind the panic
/// names, or the last before it. The message of an oops has the line before.
std::optional<std::uint64_t> find_panic_cpu(std::span<const LogRecord> records);

/// Where a frame is, as format_place() has it.
std::optional<std::string> place_of(const Symbols& symbols, const Frame& frame);

} // namespace kmdump
