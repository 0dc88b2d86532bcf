// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/linux_guest.h"

#include "hw/linux/collect.h"

#include <utility>

namespace kmd
{

namespace
{

/// panic_cpu of a kernel that has not panicked (PANIC_CPU_INVALID).
constexpr std::uint32_t kNoCpu = ~std::uint32_t{0};

/// Whether the tables that the text describes are there; otherwise it is a copy, or left from an earlier
/// kernel.
bool is_sound(const Vmcoreinfo& vmcoreinfo, const Architecture& architecture, GuestMemory& memory)
{
    const KernelSpace space = architecture.kernel_space(vmcoreinfo, memory);
    const Translation root = space.translate(space.root_in_image, memory);
    return space.tables && root.mapping == Mapping::kMapped && root.phys == space.tables->root();
}

} // namespace

bool LinuxGuest::is_still_there(GuestMemory& memory)
{
    auto page = read_vmcoreinfo_page(at_, memory);
    if (!page || !page->text.starts_with(kernel_->vmcoreinfo_text())) {
        return false;
    }
    text_ = std::move(page->text);
    return true;
}

const LinuxKernel* LinuxGuest::find(const Machine& machine, GuestMemory& memory, std::uint64_t pages,
                                    const RunsOnCpus& runs_on_cpus)
{
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    if (architecture == nullptr) {
        return nullptr;
    }
    // After a panic the CPUs may run a capture kernel, but this is the one to look at.
    if (kernel_ && is_still_there(memory) &&
        (!runs_on_cpus || runs_on_cpus(kernel_->vmcoreinfo()) ||
         condition(*kernel_, memory) == Condition::kPanicked)) {
        return &*kernel_;
    }
    if (kernel_ || search_.at_end()) {
        const unsigned searches = searches_;
        forget();
        searches_ = searches;
    }
    if (pages >= kMostPages) {
        // Where a search in passing was, there may be a kernel by now.
        search_ = {};
    }
    std::optional<VmcoreinfoPage> best;
    while (pages > 0 && !search_.at_end()) {
        auto page = search_.next(memory, pages);
        if (!page) {
            continue;
        }
        const Vmcoreinfo vmcoreinfo(page->text);
        if (!is_sound(vmcoreinfo, *architecture, memory)) {
            continue;
        }
        const bool runs = !runs_on_cpus || runs_on_cpus(vmcoreinfo);
        if (runs || !best) {
            best = std::move(page);
        }
        if (runs) {
            break;
        }
    }
    if (!best) {
        searches_ += search_.at_end() && searches_ < kMostSearches ? 1 : 0;
        return nullptr;
    }
    at_ = best->phys;
    text_ = best->text;
    const LiveKernelMemory kernel_memory(*architecture, Vmcoreinfo(best->text), memory);
    kernel_ = LinuxKernel::read(std::move(best->text), *architecture, kernel_memory);
    return &*kernel_;
}

void LinuxGuest::refresh(GuestMemory& memory)
{
    if (kernel_) {
        kernel_->refresh(LiveKernelMemory(kernel_->architecture(), kernel_->vmcoreinfo(), memory));
    }
}

const LinuxKernel* LinuxGuest::find_described(const Machine& machine, GuestMemory& memory,
                                              const std::string& text)
{
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    const Vmcoreinfo vmcoreinfo(text);
    if (architecture == nullptr || !Vmcoreinfo::is_vmcoreinfo(text) ||
        !is_sound(vmcoreinfo, *architecture, memory)) {
        return nullptr;
    }
    // A panic appends to the text.
    if (!described_ || !text.starts_with(described_->vmcoreinfo_text())) {
        described_ =
            LinuxKernel::read(text, *architecture, LiveKernelMemory(*architecture, vmcoreinfo, memory));
    }
    described_->refresh(LiveKernelMemory(*architecture, vmcoreinfo, memory));
    return &*described_;
}

LinuxGuest::Condition LinuxGuest::condition(const LinuxKernel& kernel, GuestMemory& memory)
{
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory);
    const auto panic_cpu = kernel_memory.read_u32(kernel.address("panic_cpu"));
    if (panic_cpu && *panic_cpu != kNoCpu) {
        return Condition::kPanicked;
    }
    if (!panic_cpu && log_names_a_panic(kernel, kernel_memory)) {
        return Condition::kPanicked;
    }
    const auto state = kernel_memory.read_u32(kernel.address("system_state"));
    for (const char* ending : {"SYSTEM_HALT", "SYSTEM_POWER_OFF", "SYSTEM_RESTART"}) {
        if (state && kernel.enumerator("system_states", ending) == std::int64_t{*state}) {
            return Condition::kEnding;
        }
    }
    return panic_cpu || state ? Condition::kRunning : Condition::kUnknown;
}

KernelPart read_data(const LinuxKernel& kernel, GuestMemory& memory)
{
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory);
    PageSet pages(kernel_memory);
    KernelPart data;
    if (!collect_data({kernel, kernel_memory, pages})) {
        data.missing.emplace_back(
            "the kernel's symbols do not say where its .data and .bss are, so capture=data adds nothing");
    } else if (pages.left_out() > 0 || kernel_memory.budget_is_used_up()) {
        data.missing.emplace_back(
            "the kernel's .data and .bss are larger than 64 MiB, so the dump has only a part of them");
    }
    data.regions = pages.regions();
    return data;
}

KernelPart read_objects(const LinuxKernel& kernel, GuestMemory& memory)
{
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory);
    PageSet pages(kernel_memory);
    const KernelWalk walk{kernel, kernel_memory, pages};
    const ObjectsFound found = collect_objects(walk);
    const bool command_lines_are_whole = collect_command_lines(walk, found.spaces);
    KernelPart objects;
    if (found.objects == 0) {
        objects.missing.emplace_back(
            "the kernel's symbols or types are not known, so capture=more finds no objects");
        return objects;
    }
    const bool cut = found.cut || pages.left_out() > 0 || kernel_memory.budget_is_used_up();
    if (cut) {
        objects.missing.emplace_back(
            "the kernel has more files, mounts, timers and other objects than capture=more follows, "
            "so the dump has only a part of them");
    } else if (found.broken > 0) { // A search that is cut looks like a list that is broken.
        objects.missing.push_back(
            std::to_string(found.broken) +
            " lists of the kernel's objects are broken: what follows the break is left out");
    }
    if (!command_lines_are_whole) {
        objects.missing.emplace_back(
            "the arguments and the environment of some processes are larger than 64 KiB, so the dump "
            "has only their beginning");
    }
    if (!kernel.unnamed_data().empty()) {
        objects.missing.emplace_back(
            "the kernel's symbols do not name its data (CONFIG_KALLSYMS_ALL), so of its objects "
            "capture=more finds only those to which tasks lead");
    }
    objects.regions = pages.regions();
    return objects;
}

KernelRegions collect_kernel(const LinuxKernel& kernel, GuestMemory& memory)
{
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory);
    KernelRegions found;
    LogFound log = log_regions(kernel, kernel_memory);
    found.vital = std::move(log.regions);
    PageSet pages(kernel_memory);
    const KernelWalk walk{kernel, kernel_memory, pages};
    collect_variables(walk);
    collect_cpus(walk);
    TasksFound tasks = collect_tasks(walk);
    const bool modules_are_whole = collect_modules(walk);
    found.others = pages.regions();
    found.tasks = tasks.tasks;
    found.stacks = std::move(tasks.stacks);
    found.broken_lists = tasks.broken + (modules_are_whole ? 0 : 1);
    found.pages_left_out = log.left_out + pages.left_out();
    found.cut = kernel_memory.budget_is_used_up();
    return found;
}

} // namespace kmd
