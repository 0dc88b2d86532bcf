// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_log.h"

#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/kernel/printk_log.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace kmdump
{

namespace
{

std::string hexadecimal(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {digits[byte / 16], digits[byte % 16]};
    }
    return text;
}

Json to_json(const LogRecord& record)
{
    Json lines = Json::array();
    for (const auto line : split_lines(record.text)) {
        lines.push_back(line);
    }
    Json json;
    json["seq"] = record.seq;
    json["time_ns"] = record.time_ns;
    json["level"] = nullptr;
    if (record.level) {
        json["level"] = *record.level;
    }
    json["caller"] = caller_name(record.caller);
    json["lines"] = std::move(lines);
    if (!is_utf8(record.text)) {
        json["text_hex"] = hexadecimal(record.text);
    }
    return json;
}

/// Writes record by record, so that a long log needs little memory.
void print_json(const PrintkLog& log, const std::string& path, std::span<const LogRecord> records,
                std::ostream& out)
{
    Json json = json_document("log", path);
    json["being_written"] = log.being_written;
    json["without_text"] = log.without_text;
    json["damaged"] = log.damaged;
    std::string head = json_text(json, false);
    head.pop_back();
    out << head << ",\"records\":[";
    const char* separator = "\n";
    for (const LogRecord& record : records) {
        out << separator << json_text(to_json(record), false);
        separator = ",\n";
    }
    out << "\n]}\n";
}

} // namespace

std::optional<kmd::Error> print_log(const LogOptions& options, std::ostream& out)
{
    const auto dump = open_dump(options.path);
    if (!dump) {
        return dump.error();
    }
    const auto log = read_printk_log(dump.value().memory(), dump.value().vmcoreinfo);
    if (!log) {
        return log.error();
    }
    std::span<const LogRecord> records = log.value().records;
    if (options.last) {
        records = records.last(std::min<std::uint64_t>(*options.last, records.size()));
    }
    if (options.json) {
        print_json(log.value(), options.path, records, out);
    } else {
        for (const LogRecord& record : records) {
            out << format_record(record, options.caller);
        }
    }
    if (log.value().damaged > 0) {
        return kmd::Error{"the log in the dump is corrupt: records left out because they are damaged: " +
                          std::to_string(log.value().damaged)};
    }
    return std::nullopt;
}

} // namespace kmdump
