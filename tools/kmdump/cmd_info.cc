// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd_info.h"

#include "dump.h"
#include "escape.h"
#include "json.h"
#include "log_text.h"
#include "printk_log.h"
#include "text.h"

#include <elf.h>

#include <ctime>
#include <limits>

namespace kmdump
{

namespace
{

std::string machine_name(std::uint16_t machine)
{
    switch (machine) {
    case EM_AARCH64:
        return "aarch64";
    case EM_X86_64:
        return "x86_64";
    case EM_RISCV:
        return "riscv";
    default:
        return "ELF machine " + std::to_string(machine);
    }
}

/// `seconds` since 1970 as a date, or as a number when no calendar reaches that far.
std::string date(std::uint64_t seconds)
{
    std::tm utc{};
    char text[64];
    const auto time = static_cast<std::time_t>(seconds);
    if (seconds > std::uint64_t{std::numeric_limits<std::int32_t>::max()} * 100 ||
        gmtime_r(&time, &utc) == nullptr ||
        std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc) == 0) {
        return std::to_string(seconds) + " seconds since 1970";
    }
    return text;
}

std::string count(std::uint64_t number, const char* noun)
{
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

/// What `info` prints.
struct Facts {
    CoreSummary core;
    std::optional<std::string> release;
    std::optional<std::uint64_t> kaslr_offset;
    std::optional<std::uint64_t> crash_time; ///< seconds since 1970
    std::optional<std::string> panic;        ///< escaped
    std::optional<std::string> log_error;    ///< why there is no saying whether there was a panic
};

Facts gather(const Dump& dump)
{
    Facts facts;
    facts.core = dump.core.summary();
    if (const auto release = dump.vmcoreinfo.text("OSRELEASE")) {
        facts.release = escape(*release);
    }
    facts.kaslr_offset = dump.vmcoreinfo.hex_number("KERNELOFFSET");
    facts.crash_time = dump.vmcoreinfo.number("CRASHTIME");
    const auto log = read_printk_log(dump.memory(), dump.vmcoreinfo);
    if (!log) {
        facts.log_error = log.error().what;
    } else if (const auto line = find_panic_line(log.value().records)) {
        facts.panic = escape(*line);
    }
    return facts;
}

void print_json(const Facts& facts, const std::string& path, std::ostream& out)
{
    Json json = json_document("info", path);
    json["kernel"] = json_or_null(facts.release);
    json["machine"] = machine_name(facts.core.machine);
    json["cpus"] = facts.core.prstatus.size();
    json["segments"] = facts.core.segments;
    json["bytes"] = facts.core.memory_bytes;
    json["complete"] = facts.core.complete;
    json["kaslr_offset"] = facts.kaslr_offset ? Json(json_address(*facts.kaslr_offset)) : Json(nullptr);
    json["crash_time"] = json_or_null(facts.crash_time);
    json["panic"] = json_or_null(facts.panic);
    json["log_error"] = json_or_null(facts.log_error);
    out << json_text(json) << "\n";
}

void print_text(const Facts& facts, std::ostream& out)
{
    const std::string panic = facts.log_error ? "unknown, " + *facts.log_error : facts.panic.value_or("none");
    out << "kernel:    " << facts.release.value_or("unknown") << "\n"
        << "machine:   " << machine_name(facts.core.machine) << "\n"
        << "cpus:      " << facts.core.prstatus.size() << "\n"
        << "memory:    " << count(facts.core.segments, "segment") << ", "
        << count(facts.core.memory_bytes, "byte") << "\n"
        << "complete:  " << (facts.core.complete ? "yes" : "no, the host could not write everything") << "\n"
        << "kaslr:     " << (facts.kaslr_offset ? kmd::hex(*facts.kaslr_offset) : "unknown") << "\n";
    if (facts.crash_time) {
        out << "crashed:   " << date(*facts.crash_time) << "\n";
    }
    out << "panic:     " << panic << "\n";
}

} // namespace

std::optional<kmd::Error> print_info(const InfoOptions& options, std::ostream& out)
{
    const auto dump = open_dump(options.path);
    if (!dump) {
        return dump.error();
    }
    const Facts facts = gather(dump.value());
    if (options.json) {
        print_json(facts, options.path, out);
    } else {
        print_text(facts, out);
    }
    return std::nullopt;
}

} // namespace kmdump
