// SPDX-License-Identifier: GPL-2.0-or-later
//
// The minidump controller as a machine emulator binds it to its bus: the window, the events of the machine,
// and the requests of the person at the host. Attempt takes the dumps.
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

    /// `host` outlives the controller. An error names the property and what it takes.
    static Result<std::unique_ptr<Controller>> create(const Config& config, Host& host);

    std::uint64_t window_size() const { return registers_.window_size(); }

    /// An access of the guest; any offset, size and value is safe.
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, std::uint64_t value, unsigned size);

    /// Takes the dump that the host was asked to schedule. The caller has stopped all CPUs.
    void take_dump();

    /// Takes a dump if the configuration wants one for the event, there are regions, and the incident
    /// has none yet (see Incident). All CPUs are stopped, and their registers are still the guest's.
    void machine_event(enum kmd_machine_event event);

    /// The host wants a dump now, and the guest goes on. `reason`: "host" or "hang". All CPUs are
    /// stopped. Returns why there is none.
    std::optional<Error> request_dump(const std::string& reason);

    /// Whether the guest is to stay stopped for an attempt since the last call (Config::pause).
    bool wants_pause();

    /// Machine reset (specification section 4.3), with all CPUs stopped. A dump that was asked for
    /// and not yet taken is taken first.
    void reset();

    /// What a snapshot or another host has to know: registers, table, and what the controller remembers of
    /// this incident. Always the same number of bytes for the same number of slots.
    std::vector<std::byte> save_state() const;

    /// Becomes what another controller saved. An error says what is wrong with the state, which can come
    /// from anywhere; the machine must not run on then. The limits of this host stay as they are.
    std::optional<Error> load_state(std::span<const std::byte> state);

    /// How a person would put it: "unused" (nothing was ever registered), "ready", "busy" or "limit".
    const char* state_text() const;
    /// Complete dumps since power-on.
    std::uint32_t dump_count() const { return registers_.dump_count(); }
    /// The attempt that came last.
    const DumpRecord& last_attempt() const { return registers_.last(); }
    /// Path of its file, complete or not; empty when there is none.
    const std::string& last_file() const { return last_file_; }
    /// Why there is no complete file of it; empty when there is one.
    const std::string& last_error() const { return last_error_; }
    /// See describe_regions().
    std::string regions_json() const { return describe_regions(table_); }

    /// Whether every access and every step of a dump is told to Host::trace().
    bool trace() const { return diagnostics_.traces(); }
    void set_trace(bool on) { diagnostics_.set_trace(on); }

    /// The machine goes away. Tells the person at the host when the guest never used the controller.
    void shut_down();

  private:
    using Clock = Attempt::Clock;

    Controller(Settings settings, Output output, Host& host);

    /// Something that the guest or the machine did asks for a dump.
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
    AttemptContext context_;
    /// Of the dump that was asked for last, and when.
    kmd_reason reason_ = KMD_REASON_REQUEST;
    Clock::time_point triggered_;
    std::uint64_t attempts_ = 0;
    /// Those that wants_pause() was asked about.
    std::uint64_t attempts_seen_ = 0;
    std::string last_file_;
    std::string last_error_;
    /// Whether anybody ever accessed the window, since power-on.
    bool found_ = false;
    /// Whether a region was ever registered, since power-on.
    bool used_ = false;
};

} // namespace kmd
