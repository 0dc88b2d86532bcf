// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/attempt.h"

#include "common/elapsed.h"
#include "common/vmcoreinfo.h"
#include "hw/controller/words.h"
#include "hw/memory/cached_guest_memory.h"
#include "hw/output/encoding.h"
#include "hw/report/description.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <ctime>
#include <exception>
#include <new>
#include <utility>

namespace kmd
{

AttemptOutcome Attempt::run()
{
    const char* cause = nullptr;
    try {
        run_within_limits();
    } catch (const std::bad_alloc&) {
        cause = "the host is out of memory";
    } catch (const std::exception&) {
        cause = "an unexpected error occurred on the host";
    }
    if (cause != nullptr) {
        outcome_.record = {};
        try {
            fail(KMD_RESULT_FAILED, cause);
        } catch (const std::bad_alloc&) {
            // LAST_RESULT still reports the failure.
        }
    }
    outcome_.record.reason = reason_;
    outcome_.record.nanoseconds = held_nanoseconds();
    return std::move(outcome_);
}

void Attempt::run_within_limits()
{
    context_.diagnostics.begin_attempt();
    if (context_.diagnostics.traces()) {
        context_.diagnostics.trace(std::string("dump ") + reason_name(reason_) + " of " +
                                   std::to_string(context_.table.region_count()) + " regions");
    }
    const bool counts = guest_can_cause(reason_);
    if (const auto limit = counts ? context_.quota.why_no_attempt() : std::nullopt) {
        hit_limit(*limit);
        return;
    }
    CachedGuestMemory memory(context_.host.memory());
    const Machine machine = context_.host.machine();
    const FoundKernel kernel = find_kernel(machine, memory);
    if (context_.table.region_count() == 0 && kernel.kernel == nullptr) {
        fail(KMD_RESULT_EMPTY,
             searches() ? "the guest has registered no region, and no Linux kernel was found in its memory"
                        : "the guest has registered no region");
        return;
    }
    if (counts) {
        context_.quota.begin_attempt();
    }
    run_on(machine, memory, kernel);
}

void Attempt::run_on(const Machine& machine, GuestMemory& memory, const FoundKernel& kernel)
{
    if (!machine.is_64_bit_little_endian()) {
        fail(KMD_RESULT_FAILED,
             "the guest's CPUs are not 64-bit little-endian, which is all that can be dumped");
        return;
    }
    made_ = compose(context_.settings, reason_ == KMD_REASON_ABANDONED, read_table(), machine, memory,
                    context_.host, kernel);
    composed_ = Clock::now();
    for (const std::string& remark : made_.remarks) {
        context_.diagnostics.warn(remark);
    }
    publish_statuses();
    find_shortfall();
    outcome_.record.regions = made_.plan.regions;
    if (saves_nothing()) {
        fail(KMD_RESULT_EMPTY, why_empty());
        return;
    }
    if (guest_can_cause(reason_) && !has_room()) {
        outcome_.record = {};
        hit_limit("max-bytes=" + std::to_string(context_.quota.max_bytes()) +
                  " leaves no room for the first " + std::to_string(made_.plan.vital_size) + " of " +
                  std::to_string(made_.plan.file_size) + " bytes; " + std::to_string(context_.quota.bytes()) +
                  " are stored");
        return;
    }
    store();
}

bool Attempt::wants_kernel() const
{
    return context_.settings.finds_kernel() &&
           (context_.settings.linux_wanted == LinuxCapture::kOnly || !vmcoreinfo_slot());
}

bool Attempt::searches() const
{
    // A guest can ring the doorbell as often as it likes.
    const bool rung =
        reason_ == KMD_REASON_PANIC || reason_ == KMD_REASON_REQUEST || reason_ == KMD_REASON_ABANDONED;
    return wants_kernel() && !rung;
}

FoundKernel Attempt::find_kernel(const Machine& machine, GuestMemory& memory) const
{
    const bool wanted = wants_kernel();
    if (wanted) {
        const LinuxKernel* const kernel = context_.linux_guest.find(
            machine, memory, searches() ? LinuxGuest::kMostPages : 0,
            runs_on_a_cpu(context_.host.cpu_notes(), machine, context_.host, memory));
        if (kernel != nullptr) {
            context_.linux_guest.refresh(memory);
            return {kernel, context_.linux_guest.vmcoreinfo_text()};
        }
    } else if (!context_.settings.asks_for_extras()) {
        return {};
    }
    FoundKernel registered = find_registered_kernel(machine, memory);
    registered.only_extras = !wanted;
    return registered;
}

FoundKernel Attempt::find_registered_kernel(const Machine& machine, GuestMemory& memory) const
{
    const auto slot = vmcoreinfo_slot();
    if (!slot) {
        return {};
    }
    const Region region = context_.table.region(*slot);
    if (!is_ram(memory, region.phys, region.size)) {
        return {};
    }
    std::string text = read_vmcoreinfo(&region, memory);
    const LinuxKernel* const kernel = context_.linux_guest.find_described(machine, memory, text);
    return {kernel, std::move(text)};
}

std::optional<std::uint32_t> Attempt::vmcoreinfo_slot() const
{
    const RegionTable& table = context_.table;
    for (std::uint32_t slot = 0; slot < table.slot_count(); ++slot) {
        if (table.valid(slot) && table.region(slot).kind == KMD_KIND_VMCOREINFO) {
            return slot;
        }
    }
    return std::nullopt;
}

std::vector<Region> Attempt::read_table()
{
    if (context_.settings.linux_wanted == LinuxCapture::kOnly) {
        return {};
    }
    const RegionTable& table = context_.table;
    std::vector<Region> regions;
    slots_.reserve(table.region_count());
    regions.reserve(table.region_count());
    for (std::uint32_t slot = 0; slot < table.slot_count(); ++slot) {
        if (table.valid(slot)) {
            slots_.push_back(slot);
            regions.push_back(table.region(slot));
        }
    }
    return regions;
}

void Attempt::publish_statuses()
{
    RegionTable& table = context_.table;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const std::uint32_t slot = slots_[i];
        const kmd_slot_status status = made_.snapshot.regions.statuses()[i];
        if (status != KMD_SLOT_OK) {
            table.set_status(slot, status);
            context_.host.log_guest_error(describe_slot(table, slot));
            ++outcome_.record.rejected;
        } else if (!accepted(table.status(slot))) {
            table.set_status(slot, KMD_SLOT_OK);
        }
    }
}

void Attempt::find_shortfall()
{
    const GuestReport& guest = context_.registers.guest_report();
    const Snapshot& snapshot = made_.snapshot;
    shortfall_.regions_rejected = outcome_.record.rejected;
    shortfall_.regions_refused = context_.table.refused().count();
    shortfall_.regions_not_described = made_.plan.not_described;
    shortfall_.regions_not_registered = guest.not_registered;
    shortfall_.extents_not_listed = guest.not_listed;
    shortfall_.extents_rejected = snapshot.listed.rejected;
    shortfall_.extents_stale = snapshot.stale;
    shortfall_.list_cut = snapshot.listed.cut;
    shortfall_.tables_cut = snapshot.tables_cut;
    shortfall_.kernel_pieces_missing = static_cast<std::uint32_t>(snapshot.kernel_lacks.size());
    if (const auto& kernel = snapshot.kernel) {
        shortfall_.kernel_lists_broken = kernel->broken_lists;
        shortfall_.kernel_pages_left_out = kernel->pages_left_out;
        shortfall_.kernel_search_cut = kernel->cut;
    }
    shortfall_.cpus_of_another_kernel = snapshot.cpus_of_another_kernel;
    shortfall_.vmcoreinfo_lost = snapshot.regions.find(KMD_KIND_VMCOREINFO) != nullptr &&
                                 !Vmcoreinfo::is_vmcoreinfo(snapshot.vmcoreinfo);
    if (shortfall_.vmcoreinfo_lost) {
        context_.diagnostics.warn(
            "the region that the guest registered as vmcoreinfo no longer holds it: expected OSRELEASE= at "
            "its beginning; the kernel that registered the regions is gone");
    }
}

bool Attempt::saves_nothing() const
{
    if (made_.snapshot.kernel) {
        return false;
    }
    return context_.settings.captured.regions ? made_.plan.regions + made_.plan.listed == 0
                                              : outcome_.record.rejected == slots_.size();
}

std::string Attempt::why_empty() const
{
    if (outcome_.record.rejected > 0) {
        return "none of the guest's regions can be saved";
    }
    return made_.snapshot.regions.find(KMD_KIND_LIST) != nullptr
               ? "the guest has registered a list, and it names no memory that can be saved"
               : "the guest has registered no memory, only a description of it";
}

bool Attempt::has_room() const
{
    return !context_.quota.limits_bytes() ||
           largest_size(made_.plan.vital_size, context_.output.options.compression) <= context_.quota.room();
}

DumpReport Attempt::report() const
{
    const Plan& plan = made_.plan;
    const CheckedRegions& regions = made_.snapshot.regions;
    const Settings& settings = context_.settings;
    DumpReport report;
    report.plugin_version = settings.plugin_version;
    report.qemu_version = settings.qemu_version;
    report.reason = reason_name(reason_);
    report.time = std::time(nullptr);
    report.wanted_format = format_name(settings.dump_format);
    report.format = format_name(made_.format);
    report.compress = settings.compress;
    report.regions.reserve(slots_.size());
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        report.regions.push_back({slots_[i], regions[i], context_.table.status(slots_[i])});
    }
    report.saved_regions = plan.regions;
    report.shortfall = shortfall_;
    if (made_.snapshot.kernel) {
        report.tasks_found = made_.snapshot.kernel->tasks;
    }
    report.types_in_dump = made_.snapshot.types && made_.snapshot.types->in_dump;
    report.refused = context_.table.refused().listed();
    report.id_series = context_.registers.guest_report().id_series;
    report.image_bytes = plan.file_size;
    report.segments = plan.segments;
    report.remarks = context_.diagnostics.remarks();
    report.stop_nanoseconds = elapsed_ns(triggered_, stopped_);
    report.compose_nanoseconds = elapsed_ns(stopped_, composed_);
    report.dumps_before = context_.quota.files();
    report.max_dumps = context_.quota.max_dumps();
    report.bytes_before = context_.quota.bytes();
    report.max_bytes = context_.quota.max_bytes();
    report.faults = settings.faults;
    return report;
}

std::optional<SharedFile> Attempt::types_file()
{
    const auto& types = made_.snapshot.types;
    if (!types || types->btf.empty()) {
        return std::nullopt;
    }
    const std::string name = types->build_id + ".btf";
    if (!context_.quota.admits_types()) {
        context_.diagnostics.warn("there is no new " + name +
                                  ", which describes the kernel's types: the guest has booted more than " +
                                  std::to_string(Quota::kMostTypesFiles) + " kernels");
        return std::nullopt;
    }
    return SharedFile{name, types->btf};
}

void Attempt::store()
{
    const auto types = types_file();
    const DumpReport report = this->report();
    Dump dump{
        .plan = made_.plan,
        .reason = report.reason,
        .number = context_.registers.dump_count() + 1,
        .time = report.time,
        .describe = [&](const Stored& so_far, bool one_line) { return describe(report, so_far, one_line); },
        .types = types};
    if (guest_can_cause(reason_)) {
        dump.room = context_.quota.room();
    }
    const auto result = context_.output.sink->store(dump);
    if (!result) {
        outcome_.record.regions = 0;
        fail(KMD_RESULT_FAILED, result.error().what);
        return;
    }
    if (guest_can_cause(reason_)) {
        context_.quota.charge_file(result.value().room() + result.value().sidecar_bytes);
    }
    if (result.value().types_bytes > 0) {
        context_.quota.charge_types(result.value().types_bytes);
    }
    end_stored(result.value());
}

void Attempt::end_stored(const Stored& stored)
{
    for (const std::string& remark : stored.remarks) {
        context_.diagnostics.warn(remark);
    }
    outcome_.record.bytes = stored.bytes;
    const std::string summary = std::string("dump (") + reason_name(reason_) + "): " + stored.where + ": " +
                                std::to_string(outcome_.record.regions) + " regions, " +
                                std::to_string(stored.bytes) + " bytes, guest held for " +
                                std::to_string(held_nanoseconds() / 1000) + " us" +
                                describe_shortfall(shortfall_);
    outcome_.file = stored.where;
    outcome_.error = stored.incomplete_because;
    if (!stored.incomplete_because.empty()) {
        context_.host.warn("incomplete " + summary + ": " + stored.incomplete_because);
        outcome_.record.result = KMD_RESULT_INCOMPLETE;
    } else {
        context_.host.report(summary);
        outcome_.record.result = shortfall_.any() ? KMD_RESULT_PARTIAL : KMD_RESULT_COMPLETE;
    }
    context_.host.dump_done(stored.bytes, outcome_.error);
}

void Attempt::fail(kmd_result result, const std::string& cause)
{
    outcome_.record.result = result;
    outcome_.file.clear();
    outcome_.error = cause;
    context_.diagnostics.warn_no_dump(std::string("no dump (") + reason_name(reason_) + ")", cause);
}

void Attempt::hit_limit(const std::string& cause)
{
    outcome_.record.result = KMD_RESULT_LIMIT;
    outcome_.repeats_limit = context_.registers.last().result == KMD_RESULT_LIMIT;
    if (!outcome_.repeats_limit) {
        fail(KMD_RESULT_LIMIT, cause);
    }
}

std::uint64_t Attempt::held_nanoseconds() const
{
    return elapsed_ns(triggered_);
}

} // namespace kmd
