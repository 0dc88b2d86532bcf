// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/capture.h"

#include "hw/snapshot/cpu_mmu.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/page_tables.h"
#include "hw/snapshot/stacks.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>

namespace kmd
{

namespace
{

bool Capture::*member_of(std::string_view word)
{
    if (word == "regions") {
        return &Capture::regions;
    }
    if (word == "cpus") {
        return &Capture::cpus;
    }
    if (word == "stacks") {
        return &Capture::stacks;
    }
    if (word == "tables") {
        return &Capture::tables;
    }
    return nullptr;
}

/// In ascending order, without overlap: no page is walked to twice.
std::vector<AddressRange> virtual_ranges(std::span<const Region> regions, std::span<const Region> stacks)
{
    std::vector<AddressRange> ranges;
    for (const auto& some : {regions, stacks}) {
        for (const Region& region : some) {
            ranges.push_back({region.virt, region.virt + (region.size - 1)});
        }
    }
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

/// What the CPUs' own tables say. The kernel's are used for a CPU whose registers the emulator does not know.
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

    /// Whether the CPU's tables for kernel addresses are another kernel's. Nobody's with the MMU off.
    bool is_of_another_kernel(const CpuState& cpu) const
    {
        const auto& mmu = mmus_.at(cpu.cpu);
        const auto root = mmu ? mmu->kernel_root() : std::nullopt;
        return kernel_ && root && !kernel_->owns_root(*root);
    }

  private:
    std::map<unsigned, std::unique_ptr<CpuMmu>> mmus_;
    const std::optional<PageTables>& kernel_;
    GuestMemory& memory_;
};

void gather_tables(std::span<const Region> regions, const std::optional<PageTables>& tables,
                   GuestMemory& memory, Gathered& gathered)
{
    if (!tables) {
        return;
    }
    std::set<std::uint64_t> pages;
    PageTables::Budget budget;
    for (const AddressRange& range : virtual_ranges(regions, gathered.stacks)) {
        if (!tables->collect(range, memory, budget, pages)) {
            gathered.tables_cut = true;
            break;
        }
    }
    for (const std::uint64_t page : pages) {
        Region region;
        region.phys = page;
        region.virt = tables->linear_address(page);
        region.size = tables->page_size();
        gathered.tables.push_back(region);
    }
}

} // namespace

Result<Capture> parse_capture(const std::string& list)
{
    Capture capture{false, false, false, false};
    std::string_view rest = list;
    while (true) {
        const auto word = rest.substr(0, rest.find_first_of(",+"));
        const auto member = member_of(word);
        if (member == nullptr) {
            return Error{"capture=" + list +
                         " is not possible: it takes a list of regions, cpus, stacks "
                         "and tables, for example capture=regions+cpus"};
        }
        capture.*member = true;
        if (word.size() == rest.size()) {
            return capture;
        }
        rest.remove_prefix(word.size() + 1);
    }
}

Gathered gather(const Capture& capture, std::span<const Region> regions, std::span<const std::byte> cpu_notes,
                const Machine& machine, GuestMemory& memory, SystemRegisters& registers)
{
    Gathered gathered;
    const auto kernel = PageTables::of_kernel(read_vmcoreinfo(regions, memory), machine);
    if (capture.stacks || capture.cpus) {
        auto cpus = read_cpu_states(cpu_notes, machine);
        CpuTranslation translation(cpus, machine, registers, kernel, memory);
        std::erase_if(cpus, [&](const CpuState& cpu) {
            const bool another = translation.is_of_another_kernel(cpu);
            if (another) {
                gathered.cpus_of_another_kernel.push_back(cpu.cpu);
            }
            return another;
        });
        if (capture.stacks) {
            gathered.stacks = stack_pages(cpus, machine, translation, memory);
        }
    }
    if (capture.tables) {
        gather_tables(regions, kernel, memory, gathered);
    }
    return gathered;
}

std::uint32_t drop_stale(std::vector<Region>& listed, std::span<const Region> regions, const Machine& machine,
                         GuestMemory& memory)
{
    const auto kernel = PageTables::of_kernel(read_vmcoreinfo(regions, memory), machine);
    if (!kernel || !kernel->are_sound(memory)) {
        return 0;
    }
    PageTables::Budget budget{.descriptors = 4'000'000};
    return static_cast<std::uint32_t>(std::erase_if(
        listed, [&](const Region& region) { return !kernel->still_map(region, memory, budget); }));
}

} // namespace kmd
