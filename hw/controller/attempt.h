// SPDX-License-Identifier: GPL-2.0-or-later
//
// One attempt to take a dump, while all CPUs are stopped: from the region table to a file, or to the reason
// why there is none.
#pragma once

#include "hw/controller/composer.h"
#include "hw/controller/config.h"
#include "hw/controller/diagnostics.h"
#include "hw/controller/host.h"
#include "hw/controller/quota.h"
#include "hw/memory/region.h"
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
    /// The regions of the table; keeps their slots.
    std::vector<Region> read_table();
    void publish_statuses();
    void find_shortfall();
    bool saves_nothing() const;
    /// What to say of a table that nothing can be saved of.
    std::string why_empty() const;
    bool has_room() const;
    void store();
    void end_stored(const Stored& stored);
    DumpReport report() const;
    void fail(kmd_result result, const std::string& cause);
    /// Says so once, and not again as long as nothing changes.
    void hit_limit(const std::string& cause);
    std::uint64_t held_nanoseconds() const;

    const AttemptContext& context_;
    kmd_reason reason_;
    Clock::time_point triggered_;
    Clock::time_point stopped_;
    Clock::time_point composed_;
    /// Of the regions of the snapshot, in their order.
    std::vector<std::uint32_t> slots_;
    Composition made_;
    Shortfall shortfall_;
    AttemptOutcome outcome_;
};

} // namespace kmd
