// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every CPU was doing, as far as the dump says.
#pragma once

#include "common/result.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/cpu_registers.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/printk_log.h"
#include "kmdump/kernel/symbols.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

/// What a CPU was at.
enum class CpuActivity {
    kKernel,
    kProgram,
    kOffline,      ///< the kernel had taken it away
    kNeverStarted, ///< its registers are those of a reset
    kUnknown,      ///< the dump has no registers of it, but zeros
};

struct CpuState {
    kmd::CpuRegisters registers;
    CpuActivity activity = CpuActivity::kUnknown;
    /// The link register without its signature.
    Frame link;
    bool panicked = false;
    /// Where it was alone, if that was in a program.
    Backtrace backtrace;
};

/// By CPU number. Which one panicked comes from the kernel's own variable panic_cpu; where that has no
/// address or is not in the dump, from the one CPU whose calls lead through panic(); else from the log. The
/// sidecar's region cpu_active tells which CPUs are offline.
kmd::Result<std::vector<CpuState>> read_cpu_states(const Dump& dump, const Symbols& symbols,
                                                   const std::optional<Sidecar>& sidecar = std::nullopt);

/// What the kernel's own variable panic_cpu says: where it lies is among the symbols, or in kmd_layout.
/// Nothing while no CPU below `cpus` panics.
std::optional<std::uint64_t> read_panic_cpu(const Dump& dump, const Symbols& symbols, std::uint64_t cpus);

/// The CPU that the kernel's log says panicked first: the one that wrote that record, if its caller is a CPU;
/// else the one that the first record "CPU: N ..." of the same caller behind it names, or the last before it,
/// where an oops has it. Only the kernel's own records count, and only CPUs below `cpus`.
std::optional<std::uint64_t> find_panic_cpu(std::span<const LogRecord> records, std::uint64_t cpus);

/// In a word or two, such as "in the kernel".
const char* activity_words(const CpuState& cpu);

/// Where a frame is, as format_place() has it.
std::optional<std::string> place_of(const Symbols& symbols, const Frame& frame);

} // namespace kmdump
