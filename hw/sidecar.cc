// SPDX-License-Identifier: GPL-2.0-or-later
#include "sidecar.h"

#include "description.h"
#include "text.h"

#include <nlohmann/json.hpp>

#include <array>

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

/// Addresses are text: JSON's numbers are exact up to 2^53 only.
Json region_object(const ReportedRegion& reported)
{
    const Region& region = reported.region;
    return {
        {"slot", reported.slot},
        {"id", region.id},
        {"name", printable_name(region)},
        {"kind", kind_text(region.kind)},
        {"phys", hex(region.phys)},
        {"virt", hex(region.virt)},
        {"size", region.size},
        {"status", status_text(reported.status)},
        {"accepted", accepted(reported.status)},
    };
}

Json region_list(const std::vector<ReportedRegion>& regions)
{
    Json list = Json::array();
    for (const ReportedRegion& region : regions) {
        list.push_back(region_object(region));
    }
    return list;
}

std::vector<std::string> left_out(const DumpReport& report)
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
        }
    }
    return sentences;
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

const char* outcome(const Stored& stored, std::uint32_t rejected_regions)
{
    if (!stored.incomplete_because.empty()) {
        return "incomplete";
    }
    return rejected_regions > 0 ? "partial" : "complete";
}

std::string describe(const DumpReport& report, const Stored& stored, bool one_line)
{
    std::vector<std::string> remarks = report.remarks;
    remarks.insert(remarks.end(), stored.remarks.begin(), stored.remarks.end());
    Json json = {
        {"kmemdump-md", 1},
        {"plugin_version", report.plugin_version},
        {"qemu_version", report.qemu_version},
        {"result", outcome(stored, report.rejected_regions)},
        {"reason", report.reason},
        {"time", utc(report.time)},
        {"dump", stored.where},
        {"wanted_format", report.wanted_format},
        {"format", report.format},
        {"compress", report.compress},
        {"bytes", stored.bytes},
        {"image_bytes", report.image_bytes},
        {"regions_saved", report.saved_regions},
        {"regions_rejected", report.rejected_regions},
        {"left_out", left_out(report)},
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
        {"regions", region_list(report.regions)},
    };
    if (!stored.incomplete_because.empty()) {
        json["incomplete_because"] = stored.incomplete_because;
    }
    if (report.faults.any()) {
        json["fault_injection"] = describe_faults(report.faults);
    }
    return json.dump(one_line ? -1 : 1, ' ', true, Json::error_handler_t::replace) + (one_line ? "" : "\n");
}

} // namespace kmd
