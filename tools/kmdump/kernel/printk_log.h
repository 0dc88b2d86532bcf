// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's kernel log, read out of the printk ring buffer in its memory.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// One record. Its text is what the guest wrote: any bytes, perhaps several lines.
struct LogRecord {
    std::uint64_t seq = 0;
    std::uint64_t time_ns = 0; ///< since the guest started
    std::optional<std::uint8_t> level;
    /// 0: the kernel wrote it itself. A program that writes to /dev/kmsg cannot have 0.
    std::optional<std::uint8_t> facility;
    std::uint32_t caller = 0; ///< a thread, or a CPU when the highest bit is set
    std::string text;
};

struct PrintkLog {
    std::vector<LogRecord> records;  ///< oldest first
    std::uint64_t being_written = 0; ///< records that no writer had finished
    std::uint64_t without_text = 0;  ///< records whose text the kernel had no room for
    std::uint64_t damaged = 0;       ///< records left out because they contradict themselves
};

/// An error when there is no ring buffer to read: its memory is not in the core image, or what
/// stands there cannot be one. Time and memory are bounded by the size of the file.
kmd::Result<PrintkLog> read_printk_log(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
