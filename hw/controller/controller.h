// SPDX-License-Identifier: GPL-2.0-or-later
//
// The minidump controller as a machine emulator uses it: the MMIO window, machine events and requests of the
// user. Attempt takes the dumps.
#pragma once

#include "common/result.h"
#include "hw/controller/attempt.h"
#include "hw/controller/config.h"
#include "hw/controller/diagnostics.h"
#include "hw/controller/host.h"
#include "hw/controller/incident.h"
#include "hw/controller/machine_event.h"
#include "hw/controller/quota.h"
#include "hw/mmio/region_table.h"
#include "hw/mmio/registers.h"
#include "hw/output/output.h"
#include "hw/report/description.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

class Controller
{
  public:
    Controller(const Controller&) = delete;
    Controller& operator=(const Controller&) = delete;

    /// `host` outlives the controller. An error names the property and what it accepts.
    static Result<std::unique_ptr<Controller>> create(const Config& config, Host& host);

    std::uint64_t window_size() const { return registers_.window_size(); }

    /// A guest access; any offset, size and value is safe.
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, std::uint64_t value, unsigned size);

    /// Takes the dump that Scheduler::schedule_dump() asked for. The caller has stopped all CPUs.
    void take_dump();

    /// Takes a dump if the configuration wants one for the event, regions are registered or the kernel
    /// crashed without any, and the incident has no dump yet (see Incident). All CPUs are stopped and still
    /// have the guest's registers.
    void machine_event(enum kmd_machine_event event);

    /// Looks whether a kernel that registered nothing has panicked, and requests a dump if it has, at the
    /// second look. Call it about once a second while the guest runs.
    void poll();

    /// With several controllers, one looks after a kernel that registers nothing, so that a panic has one
    /// dump: the one with regions, whose driver reports it, else the first. The others leave it alone unless
    /// they are asked.
    static void choose(std::span<Controller* const> all);

    /// Takes a dump for the user; the guest continues. `reason`: "host" or "hang". All CPUs are stopped.
    /// Returns why there is no dump.
    std::optional<Error> request_dump(const std::string& reason);

    /// Whether the guest has to stay stopped because of an attempt since the last call (Config::pause).
    bool wants_pause();

    /// Machine reset (specification section 4.3), with all CPUs stopped. Takes a pending dump first.
    void reset();

    /// The state for a snapshot or a migration: registers, table and incident. Its size depends only on the
    /// number of slots.
    std::vector<std::byte> save_state() const;

    /// Restores a saved state. An error says what is wrong with the state, which is not trusted; the machine
    /// must not continue then. The limits of this host stay in force.
    std::optional<Error> load_state(std::span<const std::byte> state);

    /// "unused" (no region was ever registered, and no kernel was found), "ready", "busy" or "limit".
    const char* state_text() const;
    /// Complete dumps since power-on.
    std::uint32_t dump_count() const { return registers_.dump_count(); }
    /// The last attempt.
    const DumpRecord& last_attempt() const { return registers_.last(); }
    /// Path of its file, complete or not; empty if there is none.
    const std::string& last_file() const { return last_file_; }
    /// Why it has no complete file; empty if it has one.
    const std::string& last_error() const { return last_error_; }
    /// See describe_regions().
    std::string regions_json() const { return describe_regions(table_); }

    /// Whether every access and every step of a dump goes to Host::trace().
    bool trace() const { return diagnostics_.traces(); }
    void set_trace(bool on) { diagnostics_.set_trace(on); }

    /// The machine ends. Warns the user if the guest never used the controller.
    void shut_down();

  private:
    using Clock = Attempt::Clock;

    bool has_regions() const { return table_.region_count() > 0; }

    Controller(Settings settings, Output output, Host& host);
    /// The reason for a dump after this event if the guest registered nothing: what its kernel says of
    /// itself. None if that did not crash, as before an orderly reboot.
    std::optional<kmd_reason> crash_of_kernel(enum kmd_machine_event event);

    /// Handles a doorbell: schedules a dump unless the incident already has one.
    void trigger(kmd_reason reason);
    void dump_now(kmd_reason reason);
    bool wanted(enum kmd_machine_event event) const;

    Settings settings_;
    Host& host_;
    Output output_;
    RegionTable table_;
    Registers registers_;
    Quota quota_;
    Diagnostics diagnostics_;
    Incident incident_;
    LinuxGuest linux_guest_;
    /// Whether the kernel had panicked at the last call of poll().
    bool saw_panic_ = false;
    bool stands_aside_ = false;
    AttemptContext context_;
    /// Reason and time of the last trigger.
    kmd_reason reason_ = KMD_REASON_REQUEST;
    Clock::time_point triggered_;
    std::uint64_t attempts_ = 0;
    /// Number of attempts at the last call of wants_pause().
    std::uint64_t attempts_seen_ = 0;
    std::string last_file_;
    std::string last_error_;
    /// Whether the guest accessed the window since power-on.
    bool found_ = false;
    /// Whether a region was registered since power-on.
    bool used_ = false;
};

} // namespace kmd
