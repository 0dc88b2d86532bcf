// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/snapshot.h"

#include "common/page_size.h"
#include "common/vmcoreinfo.h"
#include "hw/snapshot/cpu_mmu.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/stacks.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>

namespace kmd
{

namespace
{

/// In ascending order and without overlap, so that no page is walked to twice.
std::vector<AddressRange> virtual_ranges(const Snapshot& snapshot)
{
    std::vector<AddressRange> ranges;
    const auto add = [&](const Region& region) {
        ranges.push_back({region.virt, region.virt + (region.size - 1)});
    };
    for (std::size_t i = 0; i < snapshot.regions.size(); ++i) {
        if (snapshot.regions.is_ram(i)) {
            add(snapshot.regions[i]);
        }
    }
    std::for_each(snapshot.listed.regions.begin(), snapshot.listed.regions.end(), add);
    if (snapshot.kernel) {
        std::for_each(snapshot.kernel->vital.begin(), snapshot.kernel->vital.end(), add);
        std::for_each(snapshot.kernel->others.begin(), snapshot.kernel->others.end(), add);
    }
    if (snapshot.types) {
        std::for_each(snapshot.types->regions.begin(), snapshot.types->regions.end(), add);
    }
    for (const KernelPart& part : snapshot.parts) {
        std::for_each(part.regions.begin(), part.regions.end(), add);
    }
    std::for_each(snapshot.stacks.begin(), snapshot.stacks.end(), add);
    std::sort(ranges.begin(), ranges.end(),
              [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
    std::vector<AddressRange> merged;
    for (const AddressRange& range : ranges) {
        if (!merged.empty() && range.first <= merged.back().last) {
            merged.back().last = std::max(merged.back().last, range.last);
        } else {
            merged.push_back(range);
        }
    }
    return merged;
}

/// Translates with a CPU's own tables, or with the kernel's if the emulator does not know the registers of
/// the CPU.
class CpuTranslation final : public AddressTranslation
{
  public:
    CpuTranslation(std::span<const CpuState> cpus, const Machine& machine, SystemRegisters& registers,
                   const std::optional<PageTables>& kernel, GuestMemory& memory)
        : kernel_(kernel), memory_(memory)
    {
        for (const CpuState& cpu : cpus) {
            mmus_.emplace(cpu.cpu, mmu_of(cpu, machine, registers));
        }
    }

    std::optional<std::uint64_t> translate(unsigned cpu, std::uint64_t virt) override
    {
        const auto mmu = mmus_.find(cpu);
        if (mmu != mmus_.end() && mmu->second) {
            return mmu->second->translate(virt, memory_);
        }
        return kernel_ ? kernel_->translate(virt, memory_) : std::nullopt;
    }

    /// Whether the CPU's tables for kernel addresses are another kernel's. False while the MMU is off.
    bool is_of_another_kernel(const CpuState& cpu) const
    {
        const auto& mmu = mmus_.at(cpu.cpu);
        return kernel_ && mmu && mmu->uses(*kernel_, memory_) == false;
    }

  private:
    std::map<unsigned, std::unique_ptr<CpuMmu>> mmus_;
    const std::optional<PageTables>& kernel_;
    GuestMemory& memory_;
};

/// Reads the list and drops the regions that the kernel no longer maps at their addresses: their memory was
/// freed meanwhile.
void read_listed(Snapshot& snapshot, GuestMemory& memory)
{
    snapshot.listed = read_list(snapshot.regions.find(KMD_KIND_LIST), memory);
    const auto& kernel = snapshot.kernel_tables;
    if (!kernel || !kernel->are_sound(memory)) {
        return;
    }
    PageTables::Budget budget{.descriptors = 4'000'000};
    snapshot.stale =
        static_cast<std::uint32_t>(std::erase_if(snapshot.listed.regions, [&](const auto& region) {
            return !kernel->still_map(region, memory, budget);
        }));
}

/// Reads the registers and stacks of the CPUs that run the kernel.
void read_cpus(Snapshot& snapshot, const Capture& capture, bool abandoned, const Machine& machine,
               GuestMemory& memory, SystemRegisters& registers)
{
    auto cpus = read_cpu_states(snapshot.cpu_notes, machine);
    CpuTranslation translation(cpus, machine, registers, snapshot.kernel_tables, memory);
    std::erase_if(cpus, [&](const CpuState& cpu) {
        const bool another = abandoned || translation.is_of_another_kernel(cpu);
        if (another) {
            snapshot.cpus_of_another_kernel.push_back(cpu.cpu);
        }
        return another;
    });
    if (capture.stacks) {
        snapshot.stacks = stack_pages(cpus, machine, translation, memory);
    }
    if (!snapshot.cpus_of_another_kernel.empty()) {
        snapshot.cpu_notes = notes_without(snapshot.cpus_of_another_kernel, snapshot.cpu_notes, machine);
    }
}

/// What unwinds the stacks of the tasks and of the CPUs.
void read_unwinding_data(Snapshot& snapshot, const LinuxKernel& kernel, const Machine& machine,
                         GuestMemory& memory)
{
    std::vector<AddressRange> stacks;
    std::vector<std::uint64_t> code;
    for (const Region& page : snapshot.stacks) {
        stacks.push_back({page.virt, page.virt + (page.size - 1)});
    }
    for (const CpuState& cpu : read_cpu_states(snapshot.cpu_notes, machine)) {
        code.push_back(cpu.registers.pc + 1);
    }
    if (snapshot.kernel) {
        stacks.insert(stacks.end(), snapshot.kernel->stacks.begin(), snapshot.kernel->stacks.end());
    }
    KernelPart part = read_unwinding(kernel, stacks, code, memory);
    snapshot.kernel_remarks.insert(snapshot.kernel_remarks.end(), part.missing.begin(), part.missing.end());
    snapshot.parts.push_back(std::move(part));
}

void read_tables(Snapshot& snapshot, GuestMemory& memory)
{
    const auto& tables = snapshot.kernel_tables;
    if (!tables) {
        return;
    }
    std::set<std::uint64_t> pages;
    PageTables::Budget budget;
    for (const AddressRange& range : virtual_ranges(snapshot)) {
        if (!tables->collect(range, memory, budget, pages)) {
            snapshot.tables_cut = true;
            break;
        }
    }
    for (const std::uint64_t page : pages) {
        Region region;
        region.phys = page;
        region.virt = tables->linear_address(page);
        region.size = tables->page_size();
        snapshot.tables.push_back(region);
    }
}

} // namespace

Snapshot read_regions(std::vector<Region> regions, const Machine& machine, GuestMemory& memory)
{
    Snapshot snapshot;
    snapshot.regions = CheckedRegions(std::move(regions), memory);
    snapshot.vmcoreinfo = read_vmcoreinfo(snapshot.regions.find(KMD_KIND_VMCOREINFO), memory);
    const Vmcoreinfo values(snapshot.vmcoreinfo);
    snapshot.page_size = values.page_size().value_or(kSmallestPage);
    snapshot.kernel_tables = PageTables::of_kernel(values, machine, memory);
    return snapshot;
}

void read_kernel(Snapshot& snapshot, const LinuxKernel& kernel, const std::string& vmcoreinfo,
                 const Machine& machine, GuestMemory& memory)
{
    snapshot.kernel = collect_kernel(kernel, memory);
    snapshot.kernel_lacks = kernel.missing();
    snapshot.kernel_remarks = kernel.remarks();
    if (snapshot.kernel->vital.empty()) {
        snapshot.kernel_lacks.emplace_back("the kernel's log is not found");
    }
    snapshot.layout = layout_text(kernel);
    snapshot.vmcoreinfo = vmcoreinfo;
    const Vmcoreinfo values(vmcoreinfo);
    snapshot.page_size = values.page_size().value_or(kSmallestPage);
    snapshot.kernel_tables = PageTables::of_kernel(values, machine, memory);
}

LinuxGuest::RunsOnCpus runs_on_a_cpu(std::span<const std::byte> cpu_notes, const Machine& machine,
                                     SystemRegisters& registers, GuestMemory& memory)
{
    std::vector<std::shared_ptr<const CpuMmu>> mmus;
    for (const CpuState& cpu : read_cpu_states(cpu_notes, machine)) {
        mmus.push_back(mmu_of(cpu, machine, registers));
    }
    return [mmus = std::move(mmus), machine, &memory](const Vmcoreinfo& vmcoreinfo) {
        const auto tables = PageTables::of_kernel(vmcoreinfo, machine, memory);
        return mmus.empty() || std::ranges::any_of(mmus, [&](const auto& mmu) {
                   return !mmu || (tables && mmu->uses(*tables, memory).value_or(true));
               });
    };
}

void read_enrichment(Snapshot& snapshot, const Capture& capture, bool abandoned,
                     std::vector<std::byte> cpu_notes, const LinuxKernel* kernel, const Machine& machine,
                     GuestMemory& memory, SystemRegisters& registers)
{
    snapshot.wants_regions = capture.regions;
    if (capture.regions) {
        read_listed(snapshot, memory);
    }
    if (capture.stacks || capture.cpus) {
        snapshot.cpu_notes = std::move(cpu_notes);
        read_cpus(snapshot, capture, abandoned, machine, memory, registers);
    }
    if (kernel != nullptr && capture.stacks) {
        read_unwinding_data(snapshot, *kernel, machine, memory);
    }
    if (!capture.cpus) {
        snapshot.cpu_notes.clear();
    }
    if (capture.tables) {
        read_tables(snapshot, memory);
    }
}

} // namespace kmd
