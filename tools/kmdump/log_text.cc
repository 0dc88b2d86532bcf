// SPDX-License-Identifier: GPL-2.0-or-later
#include "log_text.h"

#include "escape.h"

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

std::optional<std::string_view> find_panic_line(std::span<const LogRecord> records)
{
    std::optional<std::string_view> found;
    for (const LogRecord& record : records) {
        for (const auto line : split_lines(record.text)) {
            if (line.starts_with(kPanicLine)) {
                found = line;
            }
        }
    }
    return found;
}

} // namespace kmdump
