// SPDX-License-Identifier: GPL-2.0-or-later
//
// Log records as the lines that people know from dmesg.
#pragma once

#include "printk_log.h"

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

/// The last line that begins with kPanicLine, not escaped.
std::optional<std::string_view> find_panic_line(std::span<const LogRecord> records);

} // namespace kmdump
