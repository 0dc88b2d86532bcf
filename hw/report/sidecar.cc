// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/report/sidecar.h"

#include "common/text.h"
#include "hw/report/description.h"
#include "hw/report/json_text.h"
#include "hw/report/truncated_ranges.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace kmd
{

namespace
{

/// Version of the table of members in docs/outputs.md.
constexpr std::uint64_t kSidecarVersion = 2;

std::string utc(std::time_t time)
{
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text;
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// One line for each region. Built as text because a full table has 65,536 regions and the guest waits: a
/// tree of JSON values takes a hundred times as long. Addresses are strings, because JSON numbers are exact
/// only up to 2^53.
void append_regions(std::string& list, const std::vector<ReportedRegion>& regions, std::string_view line_end)
{
    constexpr std::size_t kUsualLength = 180;
    list.reserve(list.size() + regions.size() * kUsualLength);
    for (const ReportedRegion& reported : regions) {
        const Region& region = reported.region;
        list += &reported == regions.data() ? "" : ",";
        list += line_end;
        list += "{\"slot\":" + std::to_string(reported.slot);
        list += ",\"id\":" + std::to_string(region.id);
        list += ",\"name\":" + json_ascii(printable_name(region));
        list += ",\"kind\":" + json_ascii(kind_text(region.kind));
        list += ",\"phys\":" + json_ascii(hex(region.phys));
        list += ",\"virt\":" + json_ascii(hex(region.virt));
        list += ",\"size\":" + std::to_string(region.size);
        list += ",\"status\":" + json_ascii(status_text(reported.status));
        list += accepted(reported.status) ? ",\"accepted\":true}" : ",\"accepted\":false}";
    }
}

/// Whether a region was accepted but is not completely in the file.
bool cut_off(const ReportedRegion& reported, const TruncatedRanges& missing)
{
    return accepted(reported.status) && missing.has_part_of(reported.region);
}

/// Whether a region only describes other memory, which the dump contains instead.
bool is_never_saved(const DumpReport& report, const ReportedRegion& reported)
{
    return report.format == "enriched" &&
           (reported.region.kind == KMD_KIND_ELF_HEADER || reported.region.kind == KMD_KIND_LIST);
}

std::string describe_left_out(const ReportedRegion& reported, std::string_view reason)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add("slot", reported.slot);
    members.add_json("name", json_ascii(printable_name(reported.region)));
    members.add_json("reason", json_ascii(reason));
    return members.object();
}

std::string describe_refused(const RefusedRegion& refused)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add_json("name", json_ascii(printable_name(refused.region)));
    members.add("phys", hex(refused.region.phys));
    members.add("size", refused.region.size);
    members.add_json("reason", json_ascii(status_text(refused.status)));
    return members.object();
}

/// JSON objects of the regions that are missing from the dump or truncated.
std::vector<std::string> left_out(const DumpReport& report, const TruncatedRanges& missing)
{
    std::vector<std::string> objects;
    for (const ReportedRegion& reported : report.regions) {
        if (!accepted(reported.status)) {
            objects.push_back(describe_left_out(reported, status_text(reported.status)));
        } else if (!is_never_saved(report, reported) && cut_off(reported, missing)) {
            objects.push_back(describe_left_out(reported, "not all of it was written"));
        }
    }
    for (const RefusedRegion& refused : report.refused) {
        objects.push_back(describe_refused(refused));
    }
    return objects;
}

const char* series_text(std::uint32_t series)
{
    switch (series) {
    case KMD_SERIES_KMEMDUMP:
        return "kmemdump";
    case KMD_SERIES_MEMINSPECT:
        return "meminspect";
    default:
        return "unknown";
    }
}

std::string describe_segment(const Segment& segment)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add("phys", hex(segment.phys));
    members.add("virt", hex(segment.virt));
    members.add("size", segment.size);
    return members.object();
}

std::string describe_faults(const Faults& faults)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add("refuse", faults.refuse);
    members.add("full", faults.full);
    members.add("write_fail", faults.write_fail);
    members.add("write_cut", faults.write_cut);
    members.add("stop", faults.stop);
    return members.object();
}

std::string describe_times(const DumpReport& report, const Stored& stored)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add("stop", report.stop_nanoseconds);
    members.add("compose", report.compose_nanoseconds);
    members.add("write", stored.write_nanoseconds);
    members.add("sync", stored.sync_nanoseconds);
    return members.object();
}

std::string describe_limits(const DumpReport& report)
{
    JsonMembers members(JsonStyle::kOneLine);
    members.add("dumps_before", report.dumps_before);
    members.add("max_dumps", report.max_dumps);
    members.add("bytes_before", report.bytes_before);
    members.add("max_bytes", report.max_bytes);
    return members.object();
}

void add_shortfall(JsonMembers& members, const Shortfall& shortfall)
{
    members.add("regions_rejected", shortfall.regions_rejected);
    members.add("regions_refused", shortfall.regions_refused);
    members.add("regions_not_described", shortfall.regions_not_described);
    members.add("regions_not_registered", shortfall.regions_not_registered);
    members.add("extents_not_listed", shortfall.extents_not_listed);
    members.add("extents_rejected", shortfall.extents_rejected);
    members.add("extents_stale", shortfall.extents_stale);
    members.add_bool("list_cut", shortfall.list_cut);
    members.add_bool("tables_cut", shortfall.tables_cut);
    members.add_bool("vmcoreinfo_lost", shortfall.vmcoreinfo_lost);
    members.add("kernel_pieces_missing", shortfall.kernel_pieces_missing);
    members.add("kernel_lists_broken", shortfall.kernel_lists_broken);
    members.add("kernel_pages_left_out", shortfall.kernel_pages_left_out);
    members.add_bool("kernel_search_cut", shortfall.kernel_search_cut);
    members.add_json("cpus_of_another_kernel", json_list(shortfall.cpus_of_another_kernel,
                                                         [](unsigned cpu) { return std::to_string(cpu); }));
}

} // namespace

const char* outcome(const Stored& stored, const Shortfall& shortfall)
{
    if (!stored.incomplete_because.empty()) {
        return "incomplete";
    }
    return shortfall.any() ? "partial" : "complete";
}

std::string describe(const DumpReport& report, const Stored& stored, bool one_line)
{
    std::vector<std::string> remarks = report.remarks;
    remarks.insert(remarks.end(), stored.remarks.begin(), stored.remarks.end());
    const bool complete = stored.incomplete_because.empty();
    const TruncatedRanges missing(report.segments, complete ? report.image_bytes : stored.image_bytes);
    const auto lost = std::count_if(report.regions.begin(), report.regions.end(),
                                    [&](const ReportedRegion& region) { return cut_off(region, missing); });
    const auto saved = report.saved_regions - std::min<std::int64_t>(report.saved_regions, lost);
    const std::string_view line_end = one_line ? "" : "\n";

    JsonMembers members(one_line ? JsonStyle::kOneLine : JsonStyle::kLines);
    members.add("kmemdump-md", kSidecarVersion);
    members.add("plugin_version", report.plugin_version);
    members.add("qemu_version", report.qemu_version);
    members.add("result", std::string(outcome(stored, report.shortfall)));
    members.add("reason", report.reason);
    members.add("time", utc(report.time));
    members.add("dump", stored.where);
    members.add("wanted_format", report.wanted_format);
    members.add("format", report.format);
    members.add("compress", report.compress);
    members.add("bytes", stored.bytes);
    members.add("bytes_in_holes", stored.holes);
    members.add("image_bytes", report.image_bytes);
    members.add("image_bytes_saved", complete ? report.image_bytes : stored.image_bytes);
    members.add("regions_saved", static_cast<std::uint64_t>(saved));
    if (report.tasks_found) {
        members.add("tasks_found", *report.tasks_found);
    }
    if (report.types_in_dump) {
        members.add_bool("types_in_dump", true);
    }
    if (!stored.types_file.empty()) {
        members.add("types_file", stored.types_file);
    }
    add_shortfall(members, report.shortfall);
    members.add("id_series", std::string(series_text(report.id_series)));
    members.add_json("left_out", json_list(left_out(report, missing), std::identity()));
    members.add_json("remarks", json_list(remarks, json_string));
    members.add_json("nanoseconds", describe_times(report, stored));
    members.add_json("limits", describe_limits(report));
    if (!complete) {
        members.add("incomplete_because", stored.incomplete_because);
        members.add_json("missing", json_list(missing.segments(), describe_segment));
    }
    if (report.faults.any()) {
        members.add_json("fault_injection", describe_faults(report.faults));
    }
    std::string text = "{" + members.take() + ",";
    text += line_end;
    text += "\"regions\":[";
    append_regions(text, report.regions, line_end);
    text += "]}";
    text += line_end;
    return text;
}

} // namespace kmd
