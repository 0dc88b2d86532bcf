// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's kernel log, from the printk ring buffer in its memory.
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

/// One record. Its text is not escaped and can have several lines.
struct LogRecord {
    std::uint64_t seq = 0;
    std::uint64_t time_ns = 0; ///< since boot
    std::optional<std::uint8_t> level;
    /// 0: the kernel wrote the record. Programs that write to /dev/kmsg cannot use 0.
    std::optional<std::uint8_t> facility;
    std::uint32_t caller = 0; ///< a thread ID, or a CPU number if the highest bit is set
    std::string text;
};

struct PrintkLog {
    std::vector<LogRecord> records;  ///< oldest first
    std::uint64_t being_written = 0; ///< records not yet committed
    std::uint64_t without_text = 0;  ///< records whose text had no room in the buffer
    std::uint64_t damaged = 0;       ///< inconsistent records, left out
};

/// An error if the ring buffer is not in the core image or is corrupt. Time and memory are bounded by the
/// size of the file.
kmd::Result<PrintkLog> read_printk_log(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
