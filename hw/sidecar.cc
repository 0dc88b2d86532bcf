// SPDX-License-Identifier: GPL-2.0-or-later
#include "sidecar.h"

#include "description.h"
#include "missing.h"
#include "text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace kmd
{

namespace
{

using Json = nlohmann::ordered_json;

std::string utc(std::time_t time)
{
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text;
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

/// Text as JSON has it; it is printable ASCII.
std::string as_json(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + '"';
}

/// A line for each region. A full table has 65,536 of them, and the guest waits: a tree of JSON values takes
/// a hundred times as long. Addresses are text: JSON's numbers are exact up to 2^53 only.
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
        list += ",\"name\":" + as_json(printable_name(region));
        list += ",\"kind\":" + as_json(kind_text(region.kind));
        list += ",\"phys\":" + as_json(hex(region.phys));
        list += ",\"virt\":" + as_json(hex(region.virt));
        list += ",\"size\":" + std::to_string(region.size);
        list += ",\"status\":" + as_json(status_text(reported.status));
        list += accepted(reported.status) ? ",\"accepted\":true}" : ",\"accepted\":false}";
    }
}

/// A region that was accepted and is not whole in the file.
bool cut_off(const ReportedRegion& reported, const Missing& missing)
{
    return accepted(reported.status) && missing.has_part_of(reported.region);
}

std::vector<std::string> left_out(const DumpReport& report, const Missing& missing)
{
    std::vector<std::string> sentences;
    for (const ReportedRegion& reported : report.regions) {
        const std::string what =
            "slot " + std::to_string(reported.slot) + " '" + printable_name(reported.region) + "': ";
        if (!accepted(reported.status)) {
            sentences.push_back(what + status_text(reported.status));
        } else if (report.format == "enriched" && reported.region.kind == KMD_KIND_ELF_HEADER) {
            sentences.push_back(what + "readers would take it for another core");
        } else if (report.format == "enriched" && reported.region.kind == KMD_KIND_LIST) {
            sentences.push_back(what + "the memory that it lists is in its place");
        } else if (cut_off(reported, missing)) {
            sentences.push_back(what + "not all of it was written");
        }
    }
    return sentences;
}

Json missing_list(const Missing& missing)
{
    Json list = Json::array();
    for (const Segment& segment : missing.segments()) {
        list.push_back({{"phys", hex(segment.phys)}, {"virt", hex(segment.virt)}, {"size", segment.size}});
    }
    return list;
}

Json describe_faults(const Faults& faults)
{
    return {{"refuse", faults.refuse},
            {"full", faults.full},
            {"write_fail", faults.write_fail},
            {"write_cut", faults.write_cut},
            {"stop", faults.stop}};
}

} // namespace

const char* outcome(const Stored& stored, const DumpReport& report)
{
    if (!stored.incomplete_because.empty()) {
        return "incomplete";
    }
    const bool lacks_something =
        report.rejected_regions > 0 || !report.cpus_of_another_kernel.empty() || report.extents_stale > 0;
    return lacks_something ? "partial" : "complete";
}

std::string describe(const DumpReport& report, const Stored& stored, bool one_line)
{
    std::vector<std::string> remarks = report.remarks;
    remarks.insert(remarks.end(), stored.remarks.begin(), stored.remarks.end());
    const bool complete = stored.incomplete_because.empty();
    const Missing missing(report.segments, complete ? report.image_bytes : stored.image_bytes);
    const auto lost = std::count_if(report.regions.begin(), report.regions.end(),
                                    [&](const ReportedRegion& region) { return cut_off(region, missing); });
    const auto saved = report.saved_regions - std::min<std::int64_t>(report.saved_regions, lost);
    Json json = {
        {"kmemdump-md", 1},
        {"plugin_version", report.plugin_version},
        {"qemu_version", report.qemu_version},
        {"result", outcome(stored, report)},
        {"reason", report.reason},
        {"time", utc(report.time)},
        {"dump", stored.where},
        {"wanted_format", report.wanted_format},
        {"format", report.format},
        {"compress", report.compress},
        {"bytes", stored.bytes},
        {"image_bytes", report.image_bytes},
        {"image_bytes_saved", complete ? report.image_bytes : stored.image_bytes},
        {"regions_saved", saved},
        {"regions_rejected", report.rejected_regions},
        {"cpus_of_another_kernel", report.cpus_of_another_kernel},
        {"extents_stale", report.extents_stale},
        {"left_out", left_out(report, missing)},
        {"remarks", remarks},
        {"nanoseconds",
         {{"stop", report.stop_nanoseconds},
          {"compose", report.compose_nanoseconds},
          {"write", stored.write_nanoseconds},
          {"sync", stored.sync_nanoseconds}}},
        {"limits",
         {{"dumps_before", report.dumps_before},
          {"max_dumps", report.max_dumps},
          {"bytes_before", report.bytes_before},
          {"max_bytes", report.max_bytes}}},
    };
    if (!complete) {
        json["incomplete_because"] = stored.incomplete_because;
        json["missing"] = missing_list(missing);
    }
    if (report.faults.any()) {
        json["fault_injection"] = describe_faults(report.faults);
    }
    // The regions go in as the last member.
    const std::string_view line_end = one_line ? "" : "\n";
    std::string text = json.dump(one_line ? -1 : 1, ' ', true, Json::error_handler_t::replace);
    text.erase(text.rfind('}'));
    text.erase(text.find_last_not_of('\n') + 1);
    text += ",";
    text += line_end;
    text += "\"regions\":[";
    append_regions(text, report.regions, line_end);
    text += "]}";
    text += line_end;
    return text;
}

} // namespace kmd
