// SPDX-License-Identifier: GPL-2.0-or-later
//
// One attempt to take a dump, while all CPUs are stopped: from the region table to a file, or to the reason
// why there is none.
#pragma once

#include "hw/controller/config.h"
#include "hw/controller/diagnostics.h"
#include "hw/controller/host.h"
#include "hw/controller/quota.h"
#include "hw/image/core_image.h"
#include "hw/mmio/region.h"
#include "hw/mmio/region_table.h"
#include "hw/mmio/registers.h"
#include "hw/output/output.h"
#include "hw/report/shortfall.h"
#include "hw/report/sidecar.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// What the attempts of a controller have in common; all outlives them.
struct AttemptContext {
    const Settings& settings;
    Host& host;
    Output& output;
    RegionTable& table;
    const Registers& registers;
    Quota& quota;
    Diagnostics& diagnostics;
};

/// What became of it.
struct AttemptOutcome {
    DumpRecord record;
    /// Path of the file, complete or not; empty when there is none.
    std::string file;
    /// Why there is no complete file; empty when there is one.
    std::string error;
    /// A limit that was reached by the attempt before forbids this one: nothing new is to be said.
    bool repeats_limit = false;
};

class Attempt
{
  public:
    using Clock = std::chrono::steady_clock;

    /// `triggered`: when the guest was asked to stop. It stands since now.
    Attempt(const AttemptContext& context, kmd_reason reason, Clock::time_point triggered)
        : context_(context), reason_(reason), triggered_(triggered), stopped_(Clock::now())
    {
    }

    /// Once. The guest waits for an end of it, so it has one whatever happens.
    AttemptOutcome run();

  private:
    void run_within_limits();
    /// On a table that is not empty, which no limit forbids.
    void run_on_table();
    void read_table();
    void publish_statuses(const Plan& plan);
    void find_shortfall(const Plan& plan, GuestMemory& memory);
    bool saves_nothing(const Plan& plan) const;
    /// What to say of a table that nothing can be saved of.
    std::string why_empty() const;
    bool has_room(const Plan& plan) const;
    void store(const Plan& plan, DumpReport report);
    void end_stored(const Stored& stored);
    DumpReport report_of(const Plan& plan, Format composed_as) const;
    void fail(kmd_result result, const std::string& cause);
    /// Says so once, and not again as long as nothing changes.
    void hit_limit(const std::string& cause);
    std::uint64_t held_nanoseconds() const;

    const AttemptContext& context_;
    kmd_reason reason_;
    Clock::time_point triggered_;
    Clock::time_point stopped_;
    Clock::time_point composed_;
    std::vector<std::uint32_t> slots_;
    std::vector<Region> regions_;
    Shortfall shortfall_;
    AttemptOutcome outcome_;
};

} // namespace kmd
