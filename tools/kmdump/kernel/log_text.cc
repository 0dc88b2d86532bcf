// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/log_text.h"

#include "kmdump/text/escape.h"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace kmdump
{

namespace
{

constexpr std::uint32_t kCallerIsCpu = 0x80000000;

std::string prefix(const LogRecord& record, bool with_caller)
{
    const std::uint64_t microseconds = record.time_ns / 1000;
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), "[%5" PRIu64 ".%06" PRIu64 "]", microseconds / 1000000,
                  microseconds % 1000000);
    std::string result = text.data();
    if (with_caller) {
        std::snprintf(text.data(), text.size(), "[%6s]", caller_name(record.caller).c_str());
        result += text.data();
    }
    return result + " ";
}

} // namespace

std::vector<std::string_view> split_lines(std::string_view text)
{
    std::vector<std::string_view> lines;
    for (;;) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return lines;
        }
        text.remove_prefix(end + 1);
    }
}

std::string caller_name(std::uint32_t caller)
{
    return ((caller & kCallerIsCpu) != 0 ? "C" : "T") + std::to_string(caller & ~kCallerIsCpu);
}

std::string format_record(const LogRecord& record, bool with_caller)
{
    const std::string start = prefix(record, with_caller);
    std::string text;
    for (const auto line : split_lines(record.text)) {
        text += start + escape(line) + "\n";
    }
    return text;
}

bool is_from_kernel(const LogRecord& record)
{
    return record.facility.value_or(0) == 0;
}

std::optional<std::uint32_t> caller_cpu(const LogRecord& record)
{
    return (record.caller & kCallerIsCpu) != 0 ? std::optional(record.caller & ~kCallerIsCpu) : std::nullopt;
}

std::vector<const LogRecord*> find_panic_records(std::span<const LogRecord> records)
{
    constexpr std::uint8_t kEmergency = 0; // KERN_EMERG
    std::vector<const LogRecord*> found;
    for (const LogRecord& record : records) {
        if (is_from_kernel(record) && record.level.value_or(kEmergency) == kEmergency &&
            record.text.starts_with(kPanicLine)) {
            found.push_back(&record);
        }
    }
    return found;
}

std::optional<std::string_view> find_panic_line(std::span<const LogRecord> records)
{
    const auto found = find_panic_records(records);
    return found.empty() ? std::nullopt : std::optional(split_lines(found.front()->text).front());
}

} // namespace kmdump
