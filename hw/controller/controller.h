// SPDX-License-Identifier: GPL-2.0-or-later
//
// The minidump controller: registers, table, composer and output behind one object that a machine
// emulator binds to its bus.
#pragma once

#include "common/result.h"
#include "hw/controller/incident.h"
#include "hw/image/core_image.h"
#include "hw/mmio/registers.h"
#include "hw/output/channel.h"
#include "hw/output/faults.h"
#include "hw/output/output.h"
#include "hw/output/sink.h"
#include "hw/report/description.h"
#include "hw/report/shortfall.h"
#include "hw/report/sidecar.h"
#include "hw/snapshot/capture.h"
#include "hw/snapshot/guest_memory.h"
#include "hw/snapshot/region_list.h"
#include "hw/snapshot/system_registers.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// What the controller needs of the emulator around it.
class Host : public SystemRegisters, public Channel
{
  public:
    virtual GuestMemory& memory() = 0;

    /// ELF notes with the registers of every CPU, in CPU order. Called while all CPUs are stopped.
    virtual std::vector<std::byte> cpu_notes() = 0;

    /// Stop all CPUs soon, then call Controller::take_dump().
    virtual void schedule_dump() = 0;

    /// The guest broke a rule of the register interface. It can do so at any rate.
    virtual void log_guest_error(const std::string& message) = 0;

    /// Something that the person at the host wants to know; at most a few for each dump.
    virtual void report(const std::string& message) = 0;
    virtual void warn(const std::string& message) = 0;

    /// A step of the controller, if set_trace() asked for it.
    virtual void trace(const std::string& message) = 0;

    /// An attempt is over. `bytes` are in the file; `error` is empty when it is complete. Called a
    /// bounded number of times when there is no file.
    virtual void dump_done(std::uint64_t bytes, const std::string& error) = 0;
};

/// What can end the guest's work, as the emulator sees it.
enum class MachineEvent {
    /// A reset by the guest, a watchdog or the host; also where the emulator ends instead.
    kReset,
    /// The guest powers off.
    kShutdown,
    /// The host ends the emulator.
    kQuit,
    /// The guest said through another device that it panicked.
    kPanic,
};

/// What the file is made from.
enum class Format {
    /// The region table and the CPUs: compose_core_image().
    kEnriched,
    /// The guest's own ELF header: compose_guest_image(). Falls back to kEnriched, and says so, when
    /// that header cannot be used.
    kCoreimage,
    /// A table of contents and a file for each region: compose_qcom_image(). Falls back as well.
    kQcom,
};

struct Config : OutputConfig {
    /// Slots in the table, 1 to 65536.
    std::uint64_t slots = 512;
    /// How many of them can be valid at a time; 0: all.
    std::uint64_t max_regions = 0;
    /// "enriched", "coreimage" or "qcom": see Format.
    std::string format = "enriched";
    /// What an enriched dump holds: see parse_capture().
    std::string capture = "regions,cpus,stacks,tables";
    /// Files that the guest can cause, until power-off; 0: no limit. It can ring for ever.
    std::uint64_t max_dumps = 16;
    /// The same for the bytes that they have together, sidecars included.
    std::uint64_t max_bytes = 0;
    Faults faults;
    /// For the sidecar.
    std::string plugin_version = "unknown";
    std::string qemu_version = "unknown";
    /// Which events take a dump when the guest has regions registered. A guest that goes down in an
    /// orderly way has none by then.
    bool on_reset = true;
    bool on_shutdown = true;
    bool on_quit = false;
    Machine machine;
};

class Controller
{
  public:
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
    void machine_event(MachineEvent event);

    /// The host wants a dump now, and the guest goes on. `reason`: "host" or "hang". All CPUs are
    /// stopped. Returns why there is none.
    std::optional<Error> request_dump(const std::string& reason);

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
    /// Attempts to take a dump since power-on, whatever came of them.
    std::uint64_t attempts() const { return attempts_; }
    /// The attempt that came last.
    const DumpRecord& last_attempt() const { return registers_.last(); }
    /// Path of its file, complete or not; empty when there is none.
    const std::string& last_file() const { return last_file_; }
    /// Why there is no complete file of it; empty when there is one.
    const std::string& last_error() const { return last_error_; }
    /// See describe_regions().
    std::string regions_json() const { return describe_regions(table_); }

    /// Whether every access and every step of a dump is told to Host::trace().
    bool trace() const { return trace_; }
    void set_trace(bool on) { trace_ = on; }

    /// The machine goes away. Tells the person at the host when the guest never used the controller.
    void shut_down();

  private:
    using Clock = std::chrono::steady_clock;

    Controller(const Config& config, Format format, const Capture& capture, Output output, Host& host);

    void trigger(kmd_reason reason);
    /// The guest waits for an end of it, whatever happens here.
    DumpRecord attempt_or_fail();
    void dump_now(kmd_reason reason);
    bool wanted(MachineEvent event) const;
    Plan compose(std::span<const Region> regions, GuestMemory& memory);
    Plan compose_enriched(std::span<const Region> regions, GuestMemory& memory);
    DumpRecord attempt(kmd_reason reason);
    /// Why the guest gets no further attempt; nothing when it does.
    std::optional<std::string> limit_of_attempts() const;
    /// An attempt at a table that is not empty, which no limit forbids.
    DumpRecord attempt_on_table(kmd_reason reason);
    /// What to say of a table that nothing can be saved of.
    std::string why_empty(std::span<const Region> regions, std::uint32_t rejected) const;
    Result<Plan> compose_as_wanted(std::span<const Region> regions, GuestMemory& memory);
    DumpRecord store(const Plan& plan, DumpRecord record, DumpReport report);
    DumpReport report_of(const Plan& plan, const DumpRecord& record) const;
    /// What the host's limit on bytes, which there is, leaves.
    std::uint64_t room_of_the_guest() const;
    /// Whether that is enough for the vital part of the dump.
    bool has_room(const Plan& plan) const;
    /// Keeps what a trigger found out about a valid slot; whether the region is saved.
    bool publish_status(std::uint32_t slot, kmd_slot_status status);
    void report_slot(std::uint32_t slot);
    std::uint64_t held_nanoseconds() const;
    void warn_of_no_dump(const std::string& cause);
    void note_list(const ListedRegions& listed);
    void note_vmcoreinfo(std::span<const Region> regions, GuestMemory& memory);
    void warn_of_another_kernel(bool abandoned);
    void warn_bounded(const std::string& message);
    void trace_access(const char* access, std::uint64_t offset, unsigned size, std::uint64_t value);

    Config config_;
    Format format_;
    Capture capture_;
    Output output_;
    Host& host_;
    RegionTable table_;
    Registers registers_;
    kmd_reason pending_ = KMD_REASON_REQUEST;
    Clock::time_point triggered_;
    std::string last_file_;
    std::string last_error_;
    bool trace_ = false;
    Incident incident_;
    /// Whether anybody ever accessed the window, since power-on.
    bool found_ = false;
    /// Whether a region was ever registered, since power-on.
    bool used_ = false;
    /// A guest can ring in vain for ever, and the host keeps its messages in a file.
    unsigned warnings_left_ = 16;
    std::uint64_t attempts_ = 0;
    /// Files that the guest caused since power-on, complete or not.
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
    /// Attempts that the guest caused since power-on and that looked for memory but made no file: they hold
    /// the machine as well.
    std::uint64_t in_vain_ = 0;
    /// Of the attempt that is under way: how it began, and what was warned of.
    Clock::time_point stopped_;
    Clock::time_point composed_;
    Format composed_as_ = Format::kEnriched;
    std::vector<std::string> remarks_;
    Shortfall shortfall_;
};

/// The word for a reason in file names and messages, for example "panic".
const char* reason_name(kmd_reason reason);

} // namespace kmd
