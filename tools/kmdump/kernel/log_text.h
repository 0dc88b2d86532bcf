// SPDX-License-Identifier: GPL-2.0-or-later
//
// Log records as the lines that people know from dmesg.
#pragma once

#include "kmdump/kernel/printk_log.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

/// The lines of a record's text, at least one, without their line ends.
std::vector<std::string_view> split_lines(std::string_view text);

/// The caller as the kernel writes it: "T1" for a thread, "C0" for a CPU.
std::string caller_name(std::uint32_t caller);

/// Every line of the record behind "[    1.234567] ", or "[    1.234567][    T1] " with
/// `with_caller`, each with a line end. The guest's text is escaped.
std::string format_record(const LogRecord& record, bool with_caller);

/// How the kernel's message of a panic begins.
inline constexpr std::string_view kPanicLine = "Kernel panic - not syncing";

/// The records of the kernel's own that say that it panics, the first first: that one is the cause, the
/// others panicked while it was at that. What a program wrote to /dev/kmsg, and what is not at the beginning
/// of a record, where a name could have brought it, is none.
std::vector<const LogRecord*> find_panic_records(std::span<const LogRecord> records);

/// The first line of the first of them, not escaped.
std::optional<std::string_view> find_panic_line(std::span<const LogRecord> records);

/// Whether a record is the kernel's own, as far as the log tells.
bool is_of_the_kernel(const LogRecord& record);

/// The CPU that wrote a record, if its caller says that.
std::optional<std::uint32_t> caller_cpu(const LogRecord& record);

} // namespace kmdump
