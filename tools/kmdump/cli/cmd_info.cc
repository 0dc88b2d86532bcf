// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_info.h"

#include "common/architecture.h"
#include "common/text.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/kernel/printk_log.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <unordered_set>

namespace kmdump
{

namespace
{

/// Formats seconds since 1970 as a date, or as a number if they are too many for one.
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

/// Further panics within the panic are not shown.
constexpr std::size_t kMostNested = 8;

/// What `info` prints.
struct Facts {
    CoreSummary core;
    std::optional<std::string> release;
    std::optional<std::uint64_t> kaslr_offset;
    std::optional<std::uint64_t> crash_time; ///< seconds since 1970
    std::optional<std::string> panic;        ///< not escaped
    std::vector<std::string> nested;         ///< panics within that panic, not escaped
    std::optional<std::string> log_error;    ///< why the log cannot be read
    std::optional<std::uint64_t> panic_cpu;
    std::optional<Sidecar> sidecar;
    std::optional<std::string> sidecar_error; ///< why the sidecar cannot be used
};

Facts gather(const Dump& dump, const std::string& path)
{
    Facts facts;
    if (auto sidecar = read_sidecar(path)) {
        facts.sidecar = std::move(sidecar.value());
    } else {
        facts.sidecar_error = sidecar.error().what;
    }
    facts.core = dump.core.summary();
    if (const auto release = dump.vmcoreinfo.text("OSRELEASE")) {
        facts.release = *release;
    }
    facts.kaslr_offset = dump.vmcoreinfo.symbol("KERNELOFFSET");
    facts.crash_time = dump.vmcoreinfo.number("CRASHTIME");
    facts.panic_cpu = read_panic_cpu(dump, Symbols(), facts.core.prstatus.size());
    const auto log = read_printk_log(dump.memory(), dump.vmcoreinfo);
    if (!log) {
        facts.log_error = log.error().what;
    } else if (const auto line = find_panic_line(log.value().records)) {
        facts.panic = *line;
        if (!facts.panic_cpu) {
            facts.panic_cpu = find_panic_cpu(log.value().records, facts.core.prstatus.size());
        }
        const auto panics = find_panic_records(log.value().records);
        for (std::size_t i = 1; i < std::min<std::size_t>(panics.size(), kMostNested + 1); ++i) {
            facts.nested.emplace_back(split_lines(panics[i]->text).front());
        }
    }
    return facts;
}

/// Describes the regions that were left out and that a reader could need. An enriched dump leaves out the
/// guest's ELF header and its list by design: it has its own header and the memory in the list.
std::vector<std::string> lost_regions(const Sidecar& sidecar)
{
    std::unordered_set<std::uint64_t> by_design;
    for (const SidecarRegion& region : sidecar.regions) {
        if (sidecar.format == "enriched" && region.accepted &&
            (region.kind == "elf-header" || region.kind == "list")) {
            by_design.insert(region.slot);
        }
    }
    std::vector<std::string> lost;
    for (const LeftOut& left_out : sidecar.left_out) {
        if (!left_out.slot || !by_design.contains(*left_out.slot)) {
            lost.push_back(left_out.what);
        }
    }
    return lost;
}

Json to_json(const Sidecar& sidecar)
{
    return {{"result", sidecar.result},
            {"incomplete_because", json_or_null(sidecar.incomplete_because)},
            {"reason", sidecar.reason},
            {"time", sidecar.time},
            {"regions", sidecar.regions.size()},
            {"left_out", lost_regions(sidecar)},
            {"remarks", sidecar.remarks},
            {"lacks", sidecar.lacks},
            {"tasks_found", json_or_null(sidecar.tasks_found)},
            {"types_in_dump", sidecar.types_in_dump},
            {"types_file", sidecar.types_file.empty() ? Json(nullptr) : Json(escape(sidecar.types_file))}};
}

void print_json(const Facts& facts, const std::string& path, std::ostream& out)
{
    Json json = json_document("info", path);
    json["kernel"] = json_or_null(facts.release);
    json["machine"] = kmd::machine_name(facts.core.machine);
    json["cpus"] = facts.core.prstatus.size();
    json["segments"] = facts.core.segments;
    json["bytes"] = facts.core.memory_bytes;
    json["complete"] = facts.core.complete;
    json["kaslr_offset"] = facts.kaslr_offset ? Json(json_address(*facts.kaslr_offset)) : Json(nullptr);
    json["crash_time"] = json_or_null(facts.crash_time);
    json["panic"] = json_or_null(facts.panic);
    json["panics_after_it"] = facts.nested;
    json["panic_cpu"] = json_or_null(facts.panic_cpu);
    json["log_error"] = json_or_null(facts.log_error);
    json["sidecar"] = facts.sidecar ? to_json(*facts.sidecar) : Json(nullptr);
    json["sidecar_error"] = json_or_null(facts.sidecar_error);
    out << json_text(json) << "\n";
}

void print_list(const std::vector<std::string>& sentences, std::ostream& out)
{
    for (const std::string& sentence : sentences) {
        out << "           " << escape(sentence) << "\n";
    }
}

std::string kernel_text(const Facts& facts)
{
    if (facts.release) {
        return escape(*facts.release);
    }
    return facts.sidecar && facts.sidecar->vmcoreinfo_lost
               ? "unknown, the memory that the guest registered as vmcoreinfo no longer holds it"
               : "unknown, the dump has no vmcoreinfo that names it";
}

void print_sidecar(const Sidecar& sidecar, std::ostream& out)
{
    const auto lost = lost_regions(sidecar);
    out << "taken:     " << escape(sidecar.time) << ", reason: " << escape(sidecar.reason) << "\n"
        << "regions:   " << sidecar.regions.size() << ", "
        << (lost.empty() ? "all of them saved" : std::to_string(lost.size()) + " left out") << "\n";
    print_list(lost, out);
    if (sidecar.types_in_dump || !sidecar.types_file.empty()) {
        out << "types:     "
            << (sidecar.types_in_dump ? "in the dump" : "in " + escape(sidecar.types_file) + " beside it")
            << "\n";
    }
    if (sidecar.tasks_found) {
        out << "found:     a kernel with " << count(*sidecar.tasks_found, "task")
            << ", without the guest's help\n";
    }
    if (!sidecar.lacks.empty()) {
        out << "lacks:     " << sidecar.lacks.front() << "\n";
        print_list({sidecar.lacks.begin() + 1, sidecar.lacks.end()}, out);
    }
    if (!sidecar.remarks.empty()) {
        out << "remarks:   " << escape(sidecar.remarks.front()) << "\n";
        print_list({sidecar.remarks.begin() + 1, sidecar.remarks.end()}, out);
    }
}

void print_text(const Facts& facts, const Style& style, std::ostream& out)
{
    const std::string complete = !facts.core.complete ? style.bad("no, the host could not write everything")
                                 : facts.sidecar && !facts.sidecar->lacks.empty()
                                     ? style.bad("no, it lacks some of what the guest wanted saved")
                                     : "yes";
    const std::string because = facts.sidecar && facts.sidecar->incomplete_because
                                    ? ": " + escape(*facts.sidecar->incomplete_because)
                                    : "";
    const std::string panic = facts.log_error ? "unknown, " + *facts.log_error
                              : facts.panic   ? style.bad(escape(*facts.panic))
                              : facts.sidecar && facts.sidecar->reason == "panic"
                                  ? "the guest reported one to the host, but its log has none"
                                  : "none";
    const std::string panic_cpu =
        facts.panic_cpu ? ", CPU " + std::to_string(*facts.panic_cpu) + " panicked" : "";
    out << "kernel:    " << kernel_text(facts) << "\n"
        << "machine:   " << kmd::machine_name(facts.core.machine) << "\n"
        << "cpus:      " << facts.core.prstatus.size() << panic_cpu << "\n"
        << "memory:    " << count(facts.core.segments, "segment") << ", "
        << count(facts.core.memory_bytes, "byte") << "\n"
        << "complete:  " << complete << because << "\n"
        << "kaslr:     " << (facts.kaslr_offset ? kmd::hex(*facts.kaslr_offset) : "unknown") << "\n";
    if (facts.crash_time) {
        out << "crashed:   " << date(*facts.crash_time) << "\n";
    }
    if (facts.sidecar) {
        print_sidecar(*facts.sidecar, out);
    } else if (facts.sidecar_error) {
        out << "regions:   unknown, " << *facts.sidecar_error << "\n";
    }
    out << "panic:     " << panic << "\n";
    for (const std::string& line : facts.nested) {
        out << "           then " << escape(line) << "\n";
    }
}

} // namespace

std::optional<kmd::Error> print_info(const InfoOptions& options, const Style& style, std::ostream& out)
{
    const auto dump = open_dump(options.path);
    if (!dump) {
        return dump.error();
    }
    const Facts facts = gather(dump.value(), options.path);
    if (options.json) {
        print_json(facts, options.path, out);
    } else {
        print_text(facts, style, out);
    }
    return std::nullopt;
}

} // namespace kmdump
