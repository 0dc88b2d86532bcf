// SPDX-License-Identifier: GPL-2.0-or-later
//
// The description of a dump as JSON: the sidecar of a file or the trailer of a stream. docs/outputs.md lists
// the members.
#pragma once

#include "hw/memory/region.h"
#include "hw/mmio/refused_regions.h"
#include "hw/output/faults.h"
#include "hw/output/sink.h"
#include "hw/report/shortfall.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// One slot at the trigger. Does not own its region.
struct ReportedRegion {
    std::uint32_t slot;
    const Region& region;
    kmd_slot_status status;
};

struct DumpReport {
    std::string plugin_version;
    std::string qemu_version;
    std::string reason;
    std::time_t time = 0;
    /// The requested and the actual format; they differ after a fallback.
    std::string wanted_format;
    std::string format;
    std::string compress;
    std::vector<ReportedRegion> regions;
    std::uint32_t saved_regions = 0;
    Shortfall shortfall;
    /// Tasks of the kernel that was found without the guest's help; none if there is no such kernel.
    std::optional<std::uint32_t> tasks_found;
    /// Whether the dump has the types of the kernel and all its symbols.
    bool types_in_dump = false;
    /// Regions whose commit was refused. Not owned.
    std::span<const RefusedRegion> refused;
    /// A value of enum kmd_id_series.
    std::uint32_t id_series = KMD_SERIES_UNKNOWN;
    /// Size of the whole file before compression.
    std::uint64_t image_bytes = 0;
    /// Its segments. Not owned.
    std::span<const Segment> segments;
    /// What was left out or done differently than requested; one sentence each.
    std::vector<std::string> remarks;
    std::uint64_t stop_nanoseconds = 0;
    std::uint64_t compose_nanoseconds = 0;
    /// Dumps and bytes that the guest had caused before this dump, and their limits; 0: none.
    std::uint64_t dumps_before = 0;
    std::uint64_t max_dumps = 0;
    std::uint64_t bytes_before = 0;
    std::uint64_t max_bytes = 0;
    Faults faults;
};

/// "complete", "partial" or "incomplete".
const char* outcome(const Stored& stored, const Shortfall& shortfall);

/// Always ASCII, whatever the names of the regions. With `one_line` the text has no newline; otherwise it
/// ends in one.
std::string describe(const DumpReport& report, const Stored& stored, bool one_line);

} // namespace kmd
