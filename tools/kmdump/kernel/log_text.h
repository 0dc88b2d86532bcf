// SPDX-License-Identifier: GPL-2.0-or-later
//
// Formats log records like dmesg.
#pragma once

#include "kmdump/kernel/printk_log.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

/// The lines of a record's text, without newlines. At least one.
std::vector<std::string_view> split_lines(std::string_view text);

/// The caller as the kernel writes it: "T1" for a thread, "C0" for a CPU.
std::string caller_name(std::uint32_t caller);

/// The lines of the record, each with a newline and the prefix "[    1.234567] ", or
/// "[    1.234567][    T1] " if `with_caller`. The guest's text is escaped.
std::string format_record(const LogRecord& record, bool with_caller);

/// The start of the kernel's panic message.
inline constexpr std::string_view kPanicLine = "Kernel panic - not syncing";

/// The kernel's panic messages, oldest first. The first is the cause; the others are panics within it.
/// Records that a program wrote to /dev/kmsg do not count, nor does the message in the middle of a record,
/// where a name chosen by a user could contain it.
std::vector<const LogRecord*> find_panic_records(std::span<const LogRecord> records);

/// The first line of the first panic message, not escaped.
std::optional<std::string_view> find_panic_line(std::span<const LogRecord> records);

/// Whether the kernel itself wrote the record. True if the facility is unknown.
bool is_from_kernel(const LogRecord& record);

/// The CPU that wrote the record, if its caller is a CPU.
std::optional<std::uint32_t> caller_cpu(const LogRecord& record);

} // namespace kmdump
