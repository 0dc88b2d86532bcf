// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/controller.h"

#include "common/text.h"
#include "hw/controller/words.h"
#include "hw/memory/cached_guest_memory.h"
#include "hw/mmio/state_stream.h"

#include <elf.h>

#include <algorithm>
#include <utility>

namespace kmd
{

namespace
{

kmd_reason reason_of(enum kmd_machine_event event)
{
    switch (event) {
    case KMD_EVENT_RESET:
        return KMD_REASON_RESET;
    case KMD_EVENT_PANIC:
        return KMD_REASON_PANIC;
    case KMD_EVENT_SHUTDOWN:
    case KMD_EVENT_QUIT:
        break;
    }
    return KMD_REASON_SHUTDOWN;
}

/// Version that save_state() writes and load_state() requires. QEMU checks its own version_id first.
constexpr std::uint32_t kStateVersion = 2;

} // namespace

Controller::Controller(Settings settings, Output output, Host& host)
    : settings_(std::move(settings)), host_(host), output_(std::move(output)),
      table_(static_cast<std::uint32_t>(settings_.slots), settings_.capacity(), settings_.faults.refuse),
      registers_(table_, host.memory(), settings_.features(), settings_.faults.any()),
      quota_(settings_.max_dumps, settings_.max_bytes),
      diagnostics_(host), context_{settings_,  host_,  output_,      table_,
                                   registers_, quota_, diagnostics_, linux_guest_}
{
    if (settings_.faults.any()) {
        host_.warn("fault injection is on: this controller fails on purpose");
    }
}

Result<std::unique_ptr<Controller>> Controller::create(const Config& config, Host& host)
{
    auto settings = Settings::of(config);
    if (!settings) {
        return settings.error();
    }
    const Machine machine = host.machine();
    if (machine.elf_class == ELFCLASSNONE) {
        return Error{"the machine has no CPU: a controller needs a -M that has one"};
    }
    if (!machine.is_64_bit_little_endian()) {
        return Error{"the guest's CPU is not 64-bit little-endian, which is all that can be dumped"};
    }
    auto output = make_output(config, config.faults, settings.value().dump_format == Format::kQcom, host);
    if (!output) {
        return output.error();
    }
    return std::unique_ptr<Controller>(
        new Controller(std::move(settings.value()), std::move(output.value()), host));
}

std::uint64_t Controller::read(std::uint64_t offset, unsigned size)
{
    found_ = true;
    std::optional<std::string> guest_error;
    const std::uint64_t value = registers_.read(offset, size, guest_error);
    diagnostics_.trace_access("read", offset, size, value);
    if (guest_error) {
        host_.log_guest_error(*guest_error);
    }
    return value;
}

void Controller::write(std::uint64_t offset, std::uint64_t value, unsigned size)
{
    found_ = true;
    diagnostics_.trace_access("write", offset, size, value);
    const WriteEffect effect = registers_.write(offset, value, size);
    // Before anything that allocates memory: an accepted doorbell must get its answer.
    if (effect.doorbell) {
        trigger(*effect.doorbell);
    }
    used_ = used_ || table_.region_count() > 0;
    if (effect.guest_error) {
        host_.log_guest_error(*effect.guest_error);
    }
    if (effect.reported_slot) {
        host_.log_guest_error(describe_slot(table_, *effect.reported_slot));
    }
}

void Controller::trigger(kmd_reason reason)
{
    if (!incident_.takes_dump(reason)) {
        registers_.cancel_dump();
        return;
    }
    reason_ = reason;
    triggered_ = Clock::now();
    host_.schedule_dump();
}

void Controller::take_dump()
{
    if (!registers_.busy()) {
        return;
    }
    ++attempts_;
    AttemptOutcome outcome = Attempt(context_, reason_, triggered_).run();
    const DumpRecord& record = outcome.record;
    if (!outcome.repeats_limit) {
        last_file_ = std::move(outcome.file);
        last_error_ = std::move(outcome.error);
    }
    registers_.end_dump(record);
    registers_.set_ready(quota_.admits());
    if (has_file(record.result)) {
        incident_.dumped(reason_);
    }
    if (diagnostics_.traces()) {
        diagnostics_.trace("result " + std::to_string(record.result) + ", " + std::to_string(record.bytes) +
                           " bytes in " + std::to_string(record.nanoseconds) + " ns");
    }
}

void Controller::dump_now(kmd_reason reason)
{
    registers_.begin_dump();
    reason_ = reason;
    triggered_ = Clock::now();
    take_dump();
}

bool Controller::wanted(enum kmd_machine_event event) const
{
    switch (event) {
    case KMD_EVENT_RESET:
        return settings_.on_reset;
    case KMD_EVENT_SHUTDOWN:
        return settings_.on_shutdown;
    case KMD_EVENT_QUIT:
        return settings_.on_quit;
    case KMD_EVENT_PANIC:
        return true;
    }
    return false;
}

void Controller::machine_event(enum kmd_machine_event event)
{
    take_dump();
    if (!wanted(event)) {
        return;
    }
    kmd_reason reason = reason_of(event);
    if (!has_regions()) {
        const auto crash = crash_of_kernel(event);
        if (!crash) {
            return;
        }
        reason = *crash;
    }
    if (incident_.takes_dump(reason)) {
        dump_now(reason);
    }
}

std::optional<kmd_reason> Controller::crash_of_kernel(enum kmd_machine_event event)
{
    if (!settings_.finds_kernel() || stands_aside_) {
        return std::nullopt;
    }
    CachedGuestMemory memory(host_.memory());
    const Machine machine = host_.machine();
    const LinuxKernel* const kernel = linux_guest_.find(
        machine, memory, LinuxGuest::kMostPages, runs_on_a_cpu(host_.cpu_notes(), machine, host_, memory));
    if (kernel == nullptr) {
        return std::nullopt;
    }
    switch (LinuxGuest::condition(*kernel, memory)) {
    case LinuxGuest::Condition::kPanicked:
        return KMD_REASON_PANIC;
    case LinuxGuest::Condition::kRunning:
        // A watchdog, or a reset from outside. A kernel that runs does not power off.
        return event == KMD_EVENT_SHUTDOWN ? std::nullopt : std::optional(reason_of(event));
    case LinuxGuest::Condition::kEnding:
    case LinuxGuest::Condition::kUnknown:
        break;
    }
    return event == KMD_EVENT_PANIC || event == KMD_EVENT_QUIT ? std::optional(reason_of(event))
                                                               : std::nullopt;
}

void Controller::choose(std::span<Controller* const> all)
{
    const auto used =
        std::find_if(all.begin(), all.end(), [](const Controller* one) { return one->has_regions(); });
    const auto chosen = used != all.end() ? used : all.begin();
    for (auto one = all.begin(); one != all.end(); ++one) {
        (*one)->stands_aside_ = one != chosen;
    }
}

void Controller::poll()
{
    if (!settings_.finds_kernel() || stands_aside_ || has_regions() || registers_.busy() ||
        !quota_.admits()) {
        return;
    }
    CachedGuestMemory memory(host_.memory());
    const LinuxKernel* const kernel =
        linux_guest_.find(host_.machine(), memory, linux_guest_.pages_in_passing());
    const bool panicked =
        kernel != nullptr && LinuxGuest::condition(*kernel, memory) == LinuxGuest::Condition::kPanicked;
    // The first time, the kernel may still be writing its last messages, or be about to reset the machine.
    if (std::exchange(saw_panic_, panicked) && panicked && incident_.takes_dump(KMD_REASON_PANIC)) {
        registers_.begin_dump();
        trigger(KMD_REASON_PANIC);
    }
}

std::optional<Error> Controller::request_dump(const std::string& reason)
{
    take_dump();
    if (reason == reason_name(KMD_REASON_HOST)) {
        dump_now(KMD_REASON_HOST);
    } else if (reason == reason_name(KMD_REASON_HANG)) {
        dump_now(KMD_REASON_HANG);
    } else {
        return Error{"'" + printable(reason) + "' is not a reason for a dump: expected 'host' or 'hang'"};
    }
    if (registers_.last().result != KMD_RESULT_COMPLETE && registers_.last().result != KMD_RESULT_PARTIAL) {
        return Error{std::string("there is no complete dump: ") + result_text(registers_.last().result)};
    }
    return std::nullopt;
}

bool Controller::wants_pause()
{
    return settings_.pause && std::exchange(attempts_seen_, attempts_) != attempts_;
}

void Controller::reset()
{
    take_dump();
    registers_.reset();
    incident_.end();
    linux_guest_.forget();
    saw_panic_ = false;
}

void Controller::shut_down()
{
    take_dump();
    if (used_ || !linux_guest_.vmcoreinfo_text().empty()) {
        return;
    }
    std::string why = "a driver did find the controller: the guest's log says what became of it";
    if (!found_) {
        why = "no driver found the controller: load kmemdump.ko and kmemdump_md.ko in the guest, early; ";
        why += settings_.pci ? "its kernel needs CONFIG_PCI"
                             : "a guest that starts with ACPI or another -dtb than QEMU's finds only "
                               "-device kmemdump-md-pci";
    }
    if (settings_.finds_kernel()) {
        why = "its memory has no vmcoreinfo of a Linux kernel either, as when one ends within about a second "
              "of its start, or is built without CONFIG_VMCORE_INFO (before 6.9 CONFIG_CRASH_CORE); " +
              why;
    }
    host_.warn("the guest ended without ever registering a region, so there is no dump; " + why);
}

std::vector<std::byte> Controller::save_state() const
{
    StateWriter state;
    state.put32(kStateVersion);
    table_.save(state);
    registers_.save(state);
    state.put32(reason_);
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
        return Error{"its length is wrong"};
    }
    if (incident >= Incident::kStates) {
        return Error{"its incident has an invalid state"};
    }
    incident_.restore(incident);
    if (registers_.busy()) {
        if (pending < KMD_REASON_PANIC || pending > KMD_REASON_ABANDONED) {
            return Error{"it waits for a dump with a reason that no guest can give"};
        }
        // The doorbell was rung on the source host, and the guest still waits for the answer.
        trigger(static_cast<kmd_reason>(pending));
    }
    return std::nullopt;
}

const char* Controller::state_text() const
{
    if (registers_.busy()) {
        return "busy";
    }
    if (!quota_.admits()) {
        return "limit";
    }
    return used_ || !linux_guest_.vmcoreinfo_text().empty() ? "ready" : "unused";
}

} // namespace kmd
