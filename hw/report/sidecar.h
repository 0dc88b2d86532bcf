// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is known about a dump besides its bytes, as JSON: the sidecar of a file, the trailer of a
// stream. docs/outputs.md lists the members.
#pragma once

#include "hw/memory/region.h"
#include "hw/mmio/refused_regions.h"
#include "hw/output/faults.h"
#include "hw/output/sink.h"
#include "hw/report/shortfall.h"

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// One slot as it was at the trigger. Refers to its region.
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
    /// What was asked for, and what it is: they differ when the guest's own header was of no use.
    std::string wanted_format;
    std::string format;
    std::string compress;
    std::vector<ReportedRegion> regions;
    std::uint32_t saved_regions = 0;
    Shortfall shortfall;
    /// Regions whose commit was refused; not owned.
    std::span<const RefusedRegion> refused;
    /// Of enum kmd_id_series.
    std::uint32_t id_series = KMD_SERIES_UNKNOWN;
    /// Bytes before compression, of the whole file.
    std::uint64_t image_bytes = 0;
    /// Its segments; not owned.
    std::span<const Segment> segments;
    /// What was left out or done otherwise than asked for, a sentence each.
    std::vector<std::string> remarks;
    std::uint64_t stop_nanoseconds = 0;
    std::uint64_t compose_nanoseconds = 0;
    /// Dumps and bytes that the guest caused before this dump, and the limits; 0: none.
    std::uint64_t dumps_before = 0;
    std::uint64_t max_dumps = 0;
    std::uint64_t bytes_before = 0;
    std::uint64_t max_bytes = 0;
    Faults faults;
};

/// The word for what became of a dump.
const char* outcome(const Stored& stored, const Shortfall& shortfall);

/// Pure ASCII, whatever the guest called its regions. With `one_line` there is no newline in it,
/// otherwise there is one at its end.
std::string describe(const DumpReport& report, const Stored& stored, bool one_line);

} // namespace kmd
