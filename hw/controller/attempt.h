// SPDX-License-Identifier: GPL-2.0-or-later
//
// One attempt to take a dump, while all CPUs are stopped. It ends with a file or with the reason why there is
// none.
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
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// What all attempts of a controller share. Everything outlives the attempts.
struct AttemptContext {
    const Settings& settings;
    Host& host;
    Output& output;
    RegionTable& table;
    const Registers& registers;
    Quota& quota;
    Diagnostics& diagnostics;
    LinuxGuest& linux_guest;
};

/// The outcome of an attempt.
struct AttemptOutcome {
    DumpRecord record;
    /// Path of the file, complete or not; empty if there is none.
    std::string file;
    /// Why there is no complete file; empty if there is one.
    std::string error;
    /// A limit forbids this attempt, as it did the previous one: do not report it again.
    bool repeats_limit = false;
};

class Attempt
{
  public:
    using Clock = std::chrono::steady_clock;

    /// `triggered`: when the CPUs were asked to stop. They have stopped by now.
    Attempt(const AttemptContext& context, kmd_reason reason, Clock::time_point triggered)
        : context_(context), reason_(reason), triggered_(triggered), stopped_(Clock::now())
    {
    }

    /// Call it once. It never throws, because the guest waits for a result.
    AttemptOutcome run();

  private:
    void run_within_limits();
    /// The guest's kernel, if the dump has to contain what can be found of it.
    FoundKernel find_kernel(const Machine& machine, GuestMemory& memory) const;
    /// The kernel that registered its vmcoreinfo.
    FoundKernel find_registered_kernel(const Machine& machine, GuestMemory& memory) const;
    /// Whether the dump has to contain what can be found of the guest's kernel, and whether RAM may be
    /// searched for it.
    bool wants_kernel() const;
    bool searches() const;
    /// Requires a table that is not empty, or a kernel, and an attempt that no limit forbids.
    void run_on(const Machine& machine, GuestMemory& memory, const FoundKernel& kernel);
    /// Returns the valid regions and stores their slots in slots_.
    std::vector<Region> read_table();
    /// Where the guest registered its vmcoreinfo; none if it did not.
    std::optional<std::uint32_t> vmcoreinfo_slot() const;
    void publish_statuses();
    void find_shortfall();
    bool saves_nothing() const;
    /// Why nothing in the table can be saved.
    std::string why_empty() const;
    bool has_room() const;
    /// The file of the kernel's types, if there has to be one.
    std::optional<SharedFile> types_file();
    void store();
    void end_stored(const Stored& stored);
    DumpReport report() const;
    void fail(kmd_result result, const std::string& cause);
    /// Reports a limit once, until something changes.
    void hit_limit(const std::string& cause);
    std::uint64_t held_nanoseconds() const;

    const AttemptContext& context_;
    kmd_reason reason_;
    Clock::time_point triggered_;
    Clock::time_point stopped_;
    Clock::time_point composed_;
    /// Slots of the regions in the snapshot, in the same order.
    std::vector<std::uint32_t> slots_;
    Composition made_;
    Shortfall shortfall_;
    AttemptOutcome outcome_;
};

} // namespace kmd
