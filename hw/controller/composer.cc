// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/composer.h"

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "hw/image/core_image.h"
#include "hw/image/guest_image.h"
#include "hw/image/qcom_image.h"

#include <optional>
#include <utility>

namespace kmd
{

namespace
{

/// A plan in a format that uses only the table, or why there is none.
Result<Plan> compose_table(Format format, const CheckedRegions& regions, const Machine& machine,
                           GuestMemory& memory)
{
    return format == Format::kQcom ? compose_qcom_image(regions, memory)
                                   : compose_guest_image(regions, memory, machine);
}

std::string remark_on_format(Format format, const Error& error)
{
    return std::string(format == Format::kCoreimage ? "the guest's ELF header" : "format=qcom") +
           " cannot be used, so the dump is composed from the table: " + error.what;
}

std::string remark_on_another_kernel(bool abandoned, const std::vector<unsigned>& cpus)
{
    if (abandoned) {
        return "a kernel that found the regions of an earlier one requests the dump: the CPUs run this "
               "kernel, so their registers and stacks are left out";
    }
    std::string numbers;
    for (const unsigned cpu : cpus) {
        numbers += (numbers.empty() ? "" : ", ") + std::to_string(cpu);
    }
    return "the page tables of CPU " + numbers +
           " are not those of the kernel that registered the regions: another kernel or firmware runs "
           "there, so its registers and stacks are left out";
}

void remark_on_kernel(const KernelRegions& kernel, std::vector<std::string>& remarks)
{
    if (kernel.broken_lists > 0) {
        remarks.push_back(std::to_string(kernel.broken_lists) +
                          " lists of the kernel are broken: what follows the break is left out");
    }
    if (kernel.pages_left_out > 0) {
        remarks.push_back("the kernel's tasks and variables have " + std::to_string(kernel.pages_left_out) +
                          " pages more than a dump may have");
    }
    if (kernel.cut) {
        remarks.push_back("the search for the kernel's tasks and variables took too long and was ended");
    }
}

void remark_on(const Snapshot& snapshot, bool abandoned, std::vector<std::string>& remarks)
{
    if (snapshot.stale > 0) {
        remarks.push_back(std::to_string(snapshot.stale) +
                          " entries of the guest's list are stale and left out: its page tables no longer "
                          "map them");
    }
    if (snapshot.listed.rejected > 0) {
        remarks.push_back(std::to_string(snapshot.listed.rejected) +
                          " entries of the guest's list are not RAM and are left out");
    }
    if (snapshot.listed.cut) {
        remarks.push_back("the guest's list has more than " + std::to_string(KMD_LIST_ENTRIES_MAX) +
                          " entries, so the rest of it is left out");
    }
    remarks.insert(remarks.end(), snapshot.kernel_lacks.begin(), snapshot.kernel_lacks.end());
    remarks.insert(remarks.end(), snapshot.kernel_remarks.begin(), snapshot.kernel_remarks.end());
    if (snapshot.kernel) {
        remark_on_kernel(*snapshot.kernel, remarks);
    }
    if (snapshot.tables_cut) {
        remarks.push_back(
            "the guest's page tables are larger than any kernel's, so the dump has only a part of them");
    }
    if (!snapshot.cpus_of_another_kernel.empty()) {
        remarks.push_back(remark_on_another_kernel(abandoned, snapshot.cpus_of_another_kernel));
    }
}

/// Adds what the user asked for besides: the kernel's types, its variables, its objects. What is missing of
/// it counts only if the user asked.
void read_extras(Snapshot& snapshot, const Settings& settings, const FoundKernel& kernel, GuestMemory& memory)
{
    const auto note = [&](const std::string& missing, bool asked) {
        if (!missing.empty()) {
            (asked ? snapshot.kernel_lacks : snapshot.kernel_remarks).push_back(missing);
        }
    };
    if (kernel.only_extras && settings.asks_for_types()) {
        snapshot.kernel_lacks = kernel.kernel->missing();
    }
    snapshot.types = read_types(*kernel.kernel, settings.types_place(), memory);
    note(snapshot.types->missing, settings.asks_for_types());
    const auto add = [&](KernelPart part) {
        snapshot.kernel_lacks.insert(snapshot.kernel_lacks.end(), part.missing.begin(), part.missing.end());
        snapshot.parts.push_back(std::move(part));
    };
    if (settings.captured.data || settings.captured.more) {
        add(read_data(*kernel.kernel, memory));
    }
    if (settings.captured.more) {
        add(read_objects(*kernel.kernel, memory));
    }
}

} // namespace

Composition compose(const Settings& settings, bool abandoned, std::vector<Region> regions,
                    const Machine& machine, GuestMemory& memory, Cpus& cpus, const FoundKernel& kernel)
{
    Composition made;
    made.snapshot = read_regions(std::move(regions), machine, memory);
    if (settings.dump_format != Format::kEnriched) {
        auto plan = compose_table(settings.dump_format, made.snapshot.regions, machine, memory);
        if (plan) {
            made.plan = std::move(plan.value());
            made.format = settings.dump_format;
            return made;
        }
        made.remarks.push_back(remark_on_format(settings.dump_format, plan.error()));
    }
    if (kernel.kernel != nullptr && !kernel.only_extras) {
        read_kernel(made.snapshot, *kernel.kernel, kernel.vmcoreinfo, machine, memory);
    }
    if (kernel.kernel != nullptr) {
        read_extras(made.snapshot, settings, kernel, memory);
    }
    read_enrichment(made.snapshot, settings.captured, abandoned, cpus.cpu_notes(), kernel.kernel, machine,
                    memory, cpus);
    remark_on(made.snapshot, abandoned, made.remarks);
    made.plan = compose_core_image(made.snapshot, memory, machine);
    return made;
}

} // namespace kmd
