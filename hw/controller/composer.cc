// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/composer.h"

#include "hw/image/guest_image.h"
#include "hw/image/qcom_image.h"
#include "hw/mmio/region_table.h"
#include "hw/snapshot/capture.h"
#include "hw/snapshot/cpu_state.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace kmd
{

Composition Composer::compose(std::span<const Region> regions, bool abandoned, Shortfall& shortfall)
{
    auto plan = compose_as_wanted(regions, abandoned, shortfall);
    if (plan) {
        return {std::move(plan.value()), settings_.dump_format};
    }
    if (!regions.empty()) {
        diagnostics_.warn(std::string(settings_.dump_format == Format::kCoreimage ? "the guest's ELF header"
                                                                                  : "format=qcom") +
                          " cannot be used, the dump is composed from the table: " + plan.error().what);
    }
    return {compose_enriched(regions, abandoned, shortfall), Format::kEnriched};
}

Result<Plan> Composer::compose_as_wanted(std::span<const Region> regions, bool abandoned,
                                         Shortfall& shortfall)
{
    switch (settings_.dump_format) {
    case Format::kCoreimage:
        return compose_guest_image(regions, memory_, machine_);
    case Format::kQcom:
        return compose_qcom_image(regions, memory_);
    case Format::kEnriched:
        break;
    }
    return compose_enriched(regions, abandoned, shortfall);
}

ListedRegions Composer::read_listed(std::span<const Region> regions, Shortfall& shortfall)
{
    ListedRegions listed = read_list(regions, memory_);
    shortfall.extents_stale = drop_stale(listed.regions, regions, machine_, memory_);
    shortfall.extents_rejected = listed.rejected;
    shortfall.list_cut = listed.cut;
    if (shortfall.extents_stale > 0) {
        diagnostics_.warn(std::to_string(shortfall.extents_stale) +
                          " entries of the guest's list are stale, its page tables lead elsewhere, and left "
                          "out");
    }
    if (listed.rejected > 0) {
        diagnostics_.warn(std::to_string(listed.rejected) +
                          " entries of the guest's list are not RAM, and left out");
    }
    if (listed.cut) {
        diagnostics_.warn("the guest's list has more than " + std::to_string(KMD_LIST_ENTRIES_MAX) +
                          " entries, the rest of it is left out");
    }
    return listed;
}

Gathered Composer::gather_beyond(std::span<const Region> in_ram, std::span<const std::byte> cpu_notes,
                                 bool abandoned)
{
    Capture capture = settings_.captured;
    capture.stacks = capture.stacks && !abandoned;
    Gathered gathered = gather(capture, in_ram, cpu_notes, machine_, memory_, cpus_);
    if (gathered.tables_cut) {
        diagnostics_.warn(
            "the guest's page tables are larger than any kernel's, the dump has a part of them");
    }
    if (abandoned) {
        for (const CpuState& cpu : read_cpu_states(cpu_notes, machine_)) {
            gathered.cpus_of_another_kernel.push_back(cpu.cpu);
        }
    }
    return gathered;
}

Plan Composer::compose_enriched(std::span<const Region> regions, bool abandoned, Shortfall& shortfall)
{
    std::vector<Region> in_ram;
    const auto is_in_ram = [&](const Region& region) { return check_range(region, memory_) == KMD_SLOT_OK; };
    ListedRegions listed;
    if (settings_.captured.regions) {
        listed = read_listed(regions, shortfall);
    }
    const bool all_are = listed.regions.empty() && std::all_of(regions.begin(), regions.end(), is_in_ram);
    if (!all_are) {
        std::copy_if(regions.begin(), regions.end(), std::back_inserter(in_ram), is_in_ram);
        in_ram.insert(in_ram.end(), listed.regions.begin(), listed.regions.end());
    }
    auto cpu_notes = cpus_.cpu_notes();
    auto gathered = gather_beyond(all_are ? regions : in_ram, cpu_notes, abandoned);
    shortfall.cpus_of_another_kernel = std::move(gathered.cpus_of_another_kernel);
    if (!shortfall.cpus_of_another_kernel.empty()) {
        cpu_notes = without_state_of(shortfall.cpus_of_another_kernel, cpu_notes, machine_);
        warn_of_another_kernel(abandoned, shortfall.cpus_of_another_kernel);
    }
    const ImageParts parts{.regions = regions,
                           .listed = listed.regions,
                           .stacks = gathered.stacks,
                           .tables = gathered.tables,
                           .cpu_notes =
                               settings_.captured.cpus ? std::span(cpu_notes) : std::span<const std::byte>{},
                           .with_regions = settings_.captured.regions};
    return compose_core_image(parts, memory_, machine_);
}

void Composer::warn_of_another_kernel(bool abandoned, std::span<const unsigned> cpus)
{
    if (abandoned) {
        diagnostics_.warn(
            "a kernel that found the regions of another asks for the dump: the CPUs are its own, their "
            "registers and stacks are left out");
        return;
    }
    std::string numbers;
    for (const unsigned cpu : cpus) {
        numbers += (numbers.empty() ? "" : ", ") + std::to_string(cpu);
    }
    diagnostics_.warn("the page tables of CPU " + numbers +
                      " are not those of the kernel that registered the regions: another kernel or firmware "
                      "runs there, its registers and stacks are left out");
}

} // namespace kmd
