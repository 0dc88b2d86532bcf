// SPDX-License-Identifier: GPL-2.0-or-later
//
// What each CPU was doing.
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

enum class CpuActivity {
    kKernel,
    kProgram,
    kFirmware,     ///< called by the kernel
    kOffline,      ///< taken offline by the kernel
    kNeverStarted, ///< the registers have their reset values
    kUnknown,      ///< the dump has only zeros for the registers
};

struct CpuState {
    kmd::CpuRegisters registers;
    CpuActivity activity = CpuActivity::kUnknown;
    /// The link register without its pointer authentication code.
    Frame link;
    bool panicked = false;
    /// Has only the program counter unless the CPU was in the kernel, or in firmware that the kernel called.
    Backtrace backtrace;
};

/// Indexed by the kernel's number of the CPU. The CPU that panicked is taken from the kernel's variable
/// panic_cpu; if that is not available, it is the only CPU with panic() in its backtrace, else the one named
/// in the log. Offline CPUs are known from __cpu_active_mask, or from the sidecar's region cpu_active.
kmd::Result<std::vector<CpuState>> read_cpu_states(const Dump& dump, const Symbols& symbols,
                                                   const std::optional<Sidecar>& sidecar = std::nullopt);

/// The value of the kernel's variable panic_cpu, whose address is in `symbols` or in kmd_layout. Nothing if
/// it is not in the dump, or not a CPU below `cpus`, as when no CPU has panicked.
std::optional<std::uint64_t> read_panic_cpu(const Dump& dump, const Symbols& symbols, std::uint64_t cpus);

/// The CPU that panicked first according to the log: the caller of the panic message, if that is a CPU; else
/// N of the first "CPU: N ..." record of the same caller after it, or of the last one before it, as in an
/// oops. Only the kernel's own records and CPUs below `cpus` count.
std::optional<std::uint64_t> find_panic_cpu(std::span<const LogRecord> records, std::uint64_t cpus);

/// A few words such as "in the kernel".
const char* activity_words(const CpuState& cpu);

/// The place of a frame as format_place() writes it, with a remark or a question mark before it if it may not
/// be the caller. Nothing without a symbol.
std::optional<std::string> place_of(const Symbols& symbols, const Frame& frame);

} // namespace kmdump
