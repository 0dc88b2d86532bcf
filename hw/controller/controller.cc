// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/controller.h"

#include "common/text.h"
#include "common/vmcoreinfo.h"
#include "hw/image/guest_image.h"
#include "hw/image/qcom_image.h"
#include "hw/mmio/state_stream.h"
#include "hw/output/encoding.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/known_memory.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

namespace kmd
{

const char* reason_name(kmd_reason reason)
{
    switch (reason) {
    case KMD_REASON_PANIC:
        return "panic";
    case KMD_REASON_REQUEST:
        return "request";
    case KMD_REASON_ABANDONED:
        return "abandoned";
    case KMD_REASON_HOST:
        return "host";
    case KMD_REASON_RESET:
        return "reset";
    case KMD_REASON_SHUTDOWN:
        return "shutdown";
    case KMD_REASON_HANG:
        return "hang";
    }
    return "unknown";
}

namespace
{

kmd_reason reason_of(MachineEvent event)
{
    switch (event) {
    case MachineEvent::kReset:
        return KMD_REASON_RESET;
    case MachineEvent::kPanic:
        return KMD_REASON_PANIC;
    case MachineEvent::kShutdown:
    case MachineEvent::kQuit:
        break;
    }
    return KMD_REASON_SHUTDOWN;
}

std::optional<Format> format_of(const std::string& name)
{
    if (name == "enriched") {
        return Format::kEnriched;
    }
    if (name == "coreimage") {
        return Format::kCoreimage;
    }
    if (name == "qcom") {
        return Format::kQcom;
    }
    return std::nullopt;
}

const char* format_name(Format format)
{
    switch (format) {
    case Format::kEnriched:
        return "enriched";
    case Format::kCoreimage:
        return "coreimage";
    case Format::kQcom:
        return "qcom";
    }
    return "unknown";
}

/// 0 is no limit.
std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b)
{
    return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

std::uint64_t nanoseconds_between(std::chrono::steady_clock::time_point from,
                                  std::chrono::steady_clock::time_point to)
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

/// What the host adds to the guest's regions. An image that the guest describes holds nothing else.
std::uint32_t features_of(Format format, const Capture& capture)
{
    std::uint32_t features = KMD_FEATURE_VMCOREINFO;
    if (format == Format::kEnriched) {
        features |= capture.cpus ? std::uint32_t{KMD_FEATURE_CPU_NOTES} : 0u;
        features |= capture.stacks ? std::uint32_t{KMD_FEATURE_STACKS} : 0u;
        features |= capture.tables ? std::uint32_t{KMD_FEATURE_TABLES} : 0u;
        features |= capture.regions ? std::uint32_t{KMD_FEATURE_LISTS} : 0u;
    }
    return features;
}

/// Of save_state(), and the only one that load_state() takes: QEMU compares its own version_id before.
constexpr std::uint32_t kStateVersion = 2;

/// What the host asked for itself it gets without limit.
bool guest_can_cause(kmd_reason reason)
{
    return reason != KMD_REASON_HOST && reason != KMD_REASON_HANG;
}

bool has_file(kmd_result result)
{
    return result == KMD_RESULT_COMPLETE || result == KMD_RESULT_PARTIAL || result == KMD_RESULT_INCOMPLETE;
}

const char* result_text(kmd_result result)
{
    switch (result) {
    case KMD_RESULT_NONE:
        return "none was asked for";
    case KMD_RESULT_COMPLETE:
        return "it is complete";
    case KMD_RESULT_PARTIAL:
        return "it lacks some of what the guest wanted saved";
    case KMD_RESULT_INCOMPLETE:
        return "the host could not write all of it";
    case KMD_RESULT_FAILED:
        return "the host could not write it";
    case KMD_RESULT_EMPTY:
        return "the guest has no region that can be saved";
    case KMD_RESULT_LIMIT:
        return "max-dumps or max-bytes is reached";
    }
    return "for a reason unknown";
}

} // namespace

Controller::Controller(const Config& config, Format format, const Capture& capture, Output output, Host& host)
    : config_(config), format_(format), capture_(capture), output_(std::move(output)), host_(host),
      table_(static_cast<std::uint32_t>(config.slots),
             static_cast<std::uint32_t>(
                 smaller_limit(config.slots, smaller_limit(config.max_regions, config.faults.full))),
             config.faults.refuse),
      registers_(table_, host.memory(), features_of(format, capture), config.faults.any())
{
    if (config.faults.any()) {
        host_.warn("fault injection is on: this controller fails on purpose");
    }
}

Result<std::unique_ptr<Controller>> Controller::create(const Config& config, Host& host)
{
    if (config.slots < 1 || config.slots > KMD_SLOT_COUNT_MAX) {
        return Error{"slots=" + std::to_string(config.slots) + " is out of range: 1 to " +
                     std::to_string(KMD_SLOT_COUNT_MAX)};
    }
    if (config.max_regions > config.slots) {
        return Error{"max-regions=" + std::to_string(config.max_regions) +
                     " is more than slots=" + std::to_string(config.slots)};
    }
    if (config.machine.elf_class == ELFCLASSNONE) {
        return Error{"the machine has no CPU: a controller needs a -M that has one"};
    }
    if (config.machine.elf_class != ELFCLASS64 || config.machine.elf_data != ELFDATA2LSB) {
        return Error{"the guest's CPU is not 64-bit little-endian, which is all that can be dumped"};
    }
    const auto format = format_of(config.format);
    if (!format) {
        return Error{"format=" + config.format + " is unknown: there are enriched, coreimage and qcom"};
    }
    const auto capture = parse_capture(config.capture);
    if (!capture) {
        return capture.error();
    }
    auto output = make_output(config, config.faults, *format == Format::kQcom, host);
    if (!output) {
        return output.error();
    }
    return std::unique_ptr<Controller>(
        new Controller(config, *format, capture.value(), std::move(output.value()), host));
}

std::uint64_t Controller::read(std::uint64_t offset, unsigned size)
{
    found_ = true;
    std::optional<std::string> guest_error;
    const std::uint64_t value = registers_.read(offset, size, guest_error);
    trace_access("read", offset, size, value);
    if (guest_error) {
        host_.log_guest_error(*guest_error);
    }
    return value;
}

void Controller::write(std::uint64_t offset, std::uint64_t value, unsigned size)
{
    found_ = true;
    trace_access("write", offset, size, value);
    const WriteEffect effect = registers_.write(offset, value, size);
    // Ahead of all that needs memory: an accepted bell is answered.
    if (effect.doorbell) {
        trigger(*effect.doorbell);
    }
    used_ = used_ || table_.region_count() > 0;
    if (effect.guest_error) {
        host_.log_guest_error(*effect.guest_error);
    }
    if (effect.remarkable_slot) {
        report_slot(*effect.remarkable_slot);
    }
}

void Controller::trace_access(const char* access, std::uint64_t offset, unsigned size, std::uint64_t value)
{
    if (trace_) {
        host_.trace(std::string(access) + " " + hex(offset) + " size " + std::to_string(size) + " value " +
                    hex(value));
    }
}

void Controller::report_slot(std::uint32_t slot)
{
    const Region region = table_.region(slot);
    host_.log_guest_error("slot " + std::to_string(slot) + " '" + printable_name(region) + "' (" +
                          hex(region.size) + " bytes at " + hex(region.phys) +
                          "): " + status_text(table_.status(slot)));
}

void Controller::trigger(kmd_reason reason)
{
    if (!incident_.takes_dump(reason)) {
        registers_.cancel_dump();
        return;
    }
    pending_ = reason;
    triggered_ = Clock::now();
    host_.schedule_dump();
}

void Controller::take_dump()
{
    if (!registers_.busy()) {
        return;
    }
    ++attempts_;
    stopped_ = Clock::now();
    DumpRecord record = attempt_or_fail();
    record.nanoseconds = held_nanoseconds();
    registers_.end_dump(record);
    if (has_file(record.result)) {
        incident_.dumped(pending_);
    }
    if (trace_) {
        host_.trace("result " + std::to_string(record.result) + ", " + std::to_string(record.bytes) +
                    " bytes in " + std::to_string(record.nanoseconds) + " ns");
    }
}

DumpRecord Controller::attempt_or_fail()
{
    const char* cause = "the host is out of memory";
    try {
        return attempt(pending_);
    } catch (const std::bad_alloc&) {
    } catch (const std::exception&) {
        cause = "the host failed in a way that was not foreseen";
    }
    try {
        warn_of_no_dump(cause);
    } catch (const std::bad_alloc&) {
        // The result says it, too.
    }
    DumpRecord record;
    record.reason = pending_;
    record.result = KMD_RESULT_FAILED;
    return record;
}

void Controller::dump_now(kmd_reason reason)
{
    registers_.begin_dump();
    pending_ = reason;
    triggered_ = Clock::now();
    take_dump();
}

bool Controller::wanted(MachineEvent event) const
{
    switch (event) {
    case MachineEvent::kReset:
        return config_.on_reset;
    case MachineEvent::kShutdown:
        return config_.on_shutdown;
    case MachineEvent::kQuit:
        return config_.on_quit;
    case MachineEvent::kPanic:
        return true;
    }
    return false;
}

void Controller::machine_event(MachineEvent event)
{
    take_dump();
    if (!wanted(event) || !incident_.takes_dump(reason_of(event)) || table_.region_count() == 0) {
        return;
    }
    dump_now(reason_of(event));
}

std::optional<Error> Controller::request_dump(const std::string& reason)
{
    take_dump();
    if (reason == reason_name(KMD_REASON_HOST)) {
        dump_now(KMD_REASON_HOST);
    } else if (reason == reason_name(KMD_REASON_HANG)) {
        dump_now(KMD_REASON_HANG);
    } else {
        return Error{"'" + printable(reason) + "' is no reason for a dump: it has to be 'host' or 'hang'"};
    }
    if (registers_.last().result != KMD_RESULT_COMPLETE && registers_.last().result != KMD_RESULT_PARTIAL) {
        return Error{std::string("there is no complete dump: ") + result_text(registers_.last().result)};
    }
    return std::nullopt;
}

std::uint64_t Controller::held_nanoseconds() const
{
    const auto held = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - triggered_);
    return static_cast<std::uint64_t>(held.count());
}

void Controller::warn_of_no_dump(const std::string& cause)
{
    last_file_.clear();
    last_error_ = cause;
    if (warnings_left_ > 0) {
        host_.dump_done(0, cause);
    }
    warn_bounded(std::string("no dump (") + reason_name(pending_) + "): " + cause);
}

void Controller::warn_bounded(const std::string& message)
{
    remarks_.push_back(message);
    if (warnings_left_ == 0) {
        return;
    }
    --warnings_left_;
    host_.warn(message + (warnings_left_ == 0 ? "; no more of these warnings from now on" : ""));
}

void Controller::reset()
{
    take_dump();
    registers_.reset();
    incident_.end();
}

void Controller::shut_down()
{
    take_dump();
    if (!used_) {
        host_.warn(std::string("the guest ended without ever registering a region, so there is no dump; ") +
                   (found_ ? "a driver did find the controller: the guest's log says what became of it"
                           : "no driver found the controller: load kmemdump.ko and kmemdump_md.ko in the "
                             "guest, early, and let it start with QEMU's own device tree, not with ACPI or "
                             "another -dtb"));
    }
}

std::vector<std::byte> Controller::save_state() const
{
    StateWriter state;
    state.put32(kStateVersion);
    table_.save(state);
    registers_.save(state);
    state.put32(pending_);
    state.put32(incident_.state());
    state.put32(used_ ? 1 : 0);
    return state.take();
}

std::optional<Error> Controller::load_state(std::span<const std::byte> bytes)
{
    StateReader state(bytes);
    if (const std::uint32_t version = state.get32(); version != kStateVersion) {
        return Error{"its version is " + std::to_string(version) + ", expected " +
                     std::to_string(kStateVersion)};
    }
    if (auto error = table_.load(state)) {
        return error;
    }
    if (auto error = registers_.load(state)) {
        return error;
    }
    const std::uint32_t pending = state.get32();
    const std::uint32_t incident = state.get32();
    used_ = state.get32() != 0;
    if (!state.at_end()) {
        return Error{"it has not the length of such a state"};
    }
    if (incident >= Incident::kStates) {
        return Error{"its incident has a state that does not exist"};
    }
    incident_.restore(incident);
    if (registers_.busy()) {
        if (pending < KMD_REASON_PANIC || pending > KMD_REASON_ABANDONED) {
            return Error{"it waits for a dump that no guest can ask for"};
        }
        // The bell was rung on the other side, and the guest still waits for the answer.
        trigger(static_cast<kmd_reason>(pending));
    }
    return std::nullopt;
}

const char* Controller::state_text() const
{
    if (registers_.busy()) {
        return "busy";
    }
    if (registers_.last().result == KMD_RESULT_LIMIT) {
        return "limit";
    }
    return used_ ? "ready" : "unused";
}

Result<Plan> Controller::compose_as_wanted(std::span<const Region> regions, GuestMemory& memory)
{
    switch (format_) {
    case Format::kCoreimage:
        return compose_guest_image(regions, memory, config_.machine);
    case Format::kQcom:
        return compose_qcom_image(regions, memory);
    case Format::kEnriched:
        break;
    }
    return compose_enriched(regions, memory);
}

Plan Controller::compose(std::span<const Region> regions, GuestMemory& memory)
{
    composed_as_ = format_;
    auto plan = compose_as_wanted(regions, memory);
    if (plan) {
        return std::move(plan.value());
    }
    if (!regions.empty()) {
        warn_bounded(std::string(format_ == Format::kCoreimage ? "the guest's ELF header" : "format=qcom") +
                     " cannot be used, the dump is composed from the table: " + plan.error().what);
    }
    composed_as_ = Format::kEnriched;
    return compose_enriched(regions, memory);
}

void Controller::warn_of_another_kernel(bool abandoned)
{
    if (abandoned) {
        warn_bounded(
            "a kernel that found the regions of another asks for the dump: the CPUs are its own, their "
            "registers and stacks are left out");
        return;
    }
    std::string cpus;
    for (const unsigned cpu : shortfall_.cpus_of_another_kernel) {
        cpus += (cpus.empty() ? "" : ", ") + std::to_string(cpu);
    }
    warn_bounded("the page tables of CPU " + cpus +
                 " are not those of the kernel that registered the regions: another kernel or firmware "
                 "runs there, its registers and stacks are left out");
}

void Controller::note_list(const ListedRegions& listed)
{
    shortfall_.extents_rejected = listed.rejected;
    shortfall_.list_cut = listed.cut;
    if (shortfall_.extents_stale > 0) {
        warn_bounded(std::to_string(shortfall_.extents_stale) +
                     " entries of the guest's list are stale, its page tables lead elsewhere, and left out");
    }
    if (listed.rejected > 0) {
        warn_bounded(std::to_string(listed.rejected) +
                     " entries of the guest's list are not RAM, and left out");
    }
    if (listed.cut) {
        warn_bounded("the guest's list has more than " + std::to_string(KMD_LIST_ENTRIES_MAX) +
                     " entries, the rest of it is left out");
    }
}

void Controller::note_vmcoreinfo(std::span<const Region> regions, GuestMemory& memory)
{
    const bool registered = std::any_of(regions.begin(), regions.end(), [&](const Region& region) {
        return region.kind == KMD_KIND_VMCOREINFO && check_range(region, memory) == KMD_SLOT_OK;
    });
    shortfall_.vmcoreinfo_lost = registered && !Vmcoreinfo::is_begin_of(read_vmcoreinfo(regions, memory));
    if (shortfall_.vmcoreinfo_lost) {
        warn_bounded("what the guest registered as vmcoreinfo is none any more: expected OSRELEASE= at its "
                     "beginning; the kernel that registered the regions is gone");
    }
}

Plan Controller::compose_enriched(std::span<const Region> regions, GuestMemory& memory)
{
    std::vector<Region> in_ram;
    const auto is_in_ram = [&](const Region& region) { return check_range(region, memory) == KMD_SLOT_OK; };
    ListedRegions listed;
    if (capture_.regions) {
        listed = read_list(regions, memory);
        shortfall_.extents_stale = drop_stale(listed.regions, regions, config_.machine, memory);
        note_list(listed);
    }
    const bool all_are = listed.regions.empty() && std::all_of(regions.begin(), regions.end(), is_in_ram);
    if (!all_are) {
        std::copy_if(regions.begin(), regions.end(), std::back_inserter(in_ram), is_in_ram);
        in_ram.insert(in_ram.end(), listed.regions.begin(), listed.regions.end());
    }
    auto cpu_notes = host_.cpu_notes();
    // The kernel that rings with this reason is not the one that registered the regions.
    const bool abandoned = pending_ == KMD_REASON_ABANDONED;
    Capture capture = capture_;
    capture.stacks = capture.stacks && !abandoned;
    auto gathered = gather(capture, all_are ? regions : in_ram, cpu_notes, config_.machine, memory, host_);
    if (gathered.tables_cut) {
        warn_bounded("the guest's page tables are larger than any kernel's, the dump has a part of them");
    }
    for (const CpuState& cpu :
         abandoned ? read_cpu_states(cpu_notes, config_.machine) : std::vector<CpuState>()) {
        gathered.cpus_of_another_kernel.push_back(cpu.cpu);
    }
    shortfall_.cpus_of_another_kernel = std::move(gathered.cpus_of_another_kernel);
    if (!shortfall_.cpus_of_another_kernel.empty()) {
        cpu_notes = without_state_of(shortfall_.cpus_of_another_kernel, cpu_notes, config_.machine);
        warn_of_another_kernel(abandoned);
    }
    const ImageParts parts{.regions = regions,
                           .listed = listed.regions,
                           .stacks = gathered.stacks,
                           .tables = gathered.tables,
                           .cpu_notes = capture_.cpus ? std::span(cpu_notes) : std::span<const std::byte>{},
                           .with_regions = capture_.regions};
    return compose_core_image(parts, memory, config_.machine);
}

std::optional<std::string> Controller::limit_of_attempts() const
{
    const std::string limit = "max-dumps=" + std::to_string(config_.max_dumps);
    if (config_.max_dumps != 0 && files_ >= config_.max_dumps) {
        return limit + " is reached; further requests are ignored";
    }
    if (config_.max_dumps != 0 && in_vain_ >= config_.max_dumps) {
        return limit + " is reached by attempts that made no file; further requests are ignored";
    }
    return std::nullopt;
}

DumpRecord Controller::attempt(kmd_reason reason)
{
    DumpRecord record;
    record.reason = reason;
    remarks_.clear();
    shortfall_ = {};
    if (trace_) {
        host_.trace(std::string("dump ") + reason_name(reason) + " of " +
                    std::to_string(table_.region_count()) + " regions");
    }
    const bool counts = guest_can_cause(reason);
    if (const auto limit = counts ? limit_of_attempts() : std::nullopt) {
        if (registers_.last().result != KMD_RESULT_LIMIT) {
            warn_of_no_dump(*limit);
        }
        record.result = KMD_RESULT_LIMIT;
        return record;
    }
    if (table_.region_count() == 0) {
        warn_of_no_dump("the guest has registered no region");
        record.result = KMD_RESULT_EMPTY;
        return record;
    }
    in_vain_ += counts ? 1 : 0;
    record = attempt_on_table(reason);
    in_vain_ -= counts && has_file(record.result) ? 1 : 0;
    return record;
}

std::string Controller::why_empty(std::span<const Region> regions, std::uint32_t rejected) const
{
    if (rejected > 0) {
        return "none of the guest's regions can be saved";
    }
    const bool has_list = std::any_of(regions.begin(), regions.end(),
                                      [](const Region& region) { return region.kind == KMD_KIND_LIST; });
    return has_list ? "the guest has registered a list, and it names no memory that can be saved"
                    : "the guest has registered no memory, only a description of it";
}

DumpRecord Controller::attempt_on_table(kmd_reason reason)
{
    DumpRecord record;
    record.reason = reason;
    std::vector<std::uint32_t> slots;
    std::vector<Region> regions;
    slots.reserve(table_.region_count());
    regions.reserve(table_.region_count());
    for (std::uint32_t slot = 0; slot < table_.slot_count(); ++slot) {
        if (table_.valid(slot)) {
            slots.push_back(slot);
            regions.push_back(table_.region(slot));
        }
    }
    KnownMemory memory(host_.memory());
    const Plan plan = compose(regions, memory);
    composed_ = Clock::now();
    for (std::size_t i = 0; i < slots.size(); ++i) {
        record.rejected += publish_status(slots[i], plan.statuses[i]) ? 0 : 1;
    }
    shortfall_.regions_rejected = record.rejected;
    shortfall_.regions_refused = table_.refused().count();
    shortfall_.regions_not_described = plan.not_described;
    shortfall_.regions_not_registered = registers_.guest_report().not_registered;
    shortfall_.extents_not_listed = registers_.guest_report().not_listed;
    note_vmcoreinfo(regions, memory);
    record.regions = plan.regions;
    const bool nothing = capture_.regions ? plan.regions + plan.listed == 0 : record.rejected == slots.size();
    if (nothing) {
        warn_of_no_dump(why_empty(regions, record.rejected));
        record.result = KMD_RESULT_EMPTY;
        return record;
    }
    if (!has_room(plan) && guest_can_cause(reason)) {
        if (registers_.last().result != KMD_RESULT_LIMIT) {
            warn_of_no_dump("max-bytes=" + std::to_string(config_.max_bytes) +
                            " leaves no room for the first " + std::to_string(plan.vital_size) + " of " +
                            std::to_string(plan.file_size) + " bytes; " + std::to_string(bytes_) +
                            " are stored");
        }
        record.result = KMD_RESULT_LIMIT;
        record.regions = 0;
        record.rejected = 0;
        return record;
    }
    DumpReport report = report_of(plan, record);
    report.regions.reserve(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        report.regions.push_back({slots[i], regions[i], table_.status(slots[i])});
    }
    return store(plan, record, std::move(report));
}

std::uint64_t Controller::room_of_the_guest() const
{
    return config_.max_bytes - std::min(config_.max_bytes, bytes_);
}

bool Controller::has_room(const Plan& plan) const
{
    return config_.max_bytes == 0 ||
           largest_size(plan.vital_size, output_.options.compression) <= room_of_the_guest();
}

DumpReport Controller::report_of(const Plan& plan, const DumpRecord& record) const
{
    DumpReport report;
    report.plugin_version = config_.plugin_version;
    report.qemu_version = config_.qemu_version;
    report.reason = reason_name(static_cast<kmd_reason>(record.reason));
    report.time = std::time(nullptr);
    report.wanted_format = format_name(format_);
    report.format = format_name(composed_as_);
    report.compress = config_.compress;
    report.saved_regions = record.regions;
    report.shortfall = shortfall_;
    report.refused = table_.refused().listed();
    report.id_series = registers_.guest_report().id_series;
    report.image_bytes = plan.file_size;
    report.segments = plan.segments;
    report.remarks = remarks_;
    report.stop_nanoseconds = nanoseconds_between(triggered_, stopped_);
    report.compose_nanoseconds = nanoseconds_between(stopped_, composed_);
    report.dumps_before = files_;
    report.max_dumps = config_.max_dumps;
    report.bytes_before = bytes_;
    report.max_bytes = config_.max_bytes;
    report.faults = config_.faults;
    return report;
}

bool Controller::publish_status(std::uint32_t slot, kmd_slot_status status)
{
    if (status != KMD_SLOT_OK) {
        table_.set_status(slot, status);
        report_slot(slot);
        return false;
    }
    if (!accepted(table_.status(slot))) {
        table_.set_status(slot, KMD_SLOT_OK);
    }
    return true;
}

DumpRecord Controller::store(const Plan& plan, DumpRecord record, DumpReport report)
{
    Dump dump{
        .plan = plan,
        .reason = report.reason,
        .number = registers_.dump_count() + 1,
        .time = report.time,
        .describe = [&](const Stored& so_far, bool one_line) { return describe(report, so_far, one_line); }};
    if (config_.max_bytes != 0 && guest_can_cause(pending_)) {
        dump.room = room_of_the_guest();
    }
    const auto result = output_.sink->store(dump);
    if (!result) {
        warn_of_no_dump(result.error().what);
        record.result = KMD_RESULT_FAILED;
        record.regions = 0;
        return record;
    }

    const Stored& stored = result.value();
    if (guest_can_cause(pending_)) {
        ++files_;
        bytes_ += stored.bytes + stored.sidecar_bytes;
    }
    for (const std::string& remark : stored.remarks) {
        warn_bounded(remark);
    }
    record.bytes = stored.bytes;
    std::string summary = "dump (" + report.reason + "): " + stored.where + ": " +
                          std::to_string(record.regions) + " regions, " + std::to_string(stored.bytes) +
                          " bytes, guest held for " + std::to_string(held_nanoseconds() / 1000) + " us";
    summary += describe_shortfall(shortfall_);
    last_file_ = stored.where;
    last_error_ = stored.incomplete_because;
    if (!stored.incomplete_because.empty()) {
        host_.warn("incomplete " + summary + ": " + stored.incomplete_because);
        record.result = KMD_RESULT_INCOMPLETE;
    } else {
        host_.report(summary);
        record.result = shortfall_.any() ? KMD_RESULT_PARTIAL : KMD_RESULT_COMPLETE;
    }
    host_.dump_done(stored.bytes, last_error_);
    return record;
}

} // namespace kmd
