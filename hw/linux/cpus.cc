// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/collect.h"
#include "hw/linux/kernel_names.h"

#include <algorithm>

namespace kmd
{

namespace
{

/// note_buf_t: a prstatus note and its end, with room.
constexpr std::uint64_t kCrashNoteBytes = 512;
/// The largest unit of per-CPU memory that is believed.
constexpr std::uint64_t kMostOfAUnit = 4 << 20;
/// Of the stacks that a CPU has for exceptions: those with KASAN are the largest.
constexpr std::uint64_t kMostOfStacks = 128 << 10;
/// For a run queue whose type is not described.
constexpr std::uint64_t kMostOfARunQueue = 16 << 10;

/// The kernel gives back what it does not use of the units that it made at its start: x86 makes them as large
/// as the pages that map them. Behind the variables of the kernel are those of modules and the first ones
/// that are allocated (PERCPU_MODULE_RESERVE, PERCPU_DYNAMIC_RESERVE).
std::uint64_t used_of_a_unit(const LinuxKernel& kernel, std::uint64_t unit)
{
    constexpr std::uint64_t kReserves = 64 << 10;
    const auto begin = kernel.symbol("__per_cpu_start");
    const auto end = kernel.symbol("__per_cpu_end");
    return begin && end && end->address > begin->address
               ? std::min(unit, end->address - begin->address + kReserves)
               : unit;
}

/// Between the stacks of a structure there are pages that are not mapped.
void add_stacks(const KernelWalk& walk, std::uint64_t address)
{
    const Architecture& architecture = walk.kernel.architecture();
    const std::uint64_t size = architecture.irq_stack_structure.empty()
                                   ? architecture.stack_size
                                   : walk.kernel.size_of(architecture.irq_stack_structure).value_or(0);
    for (std::uint64_t at = 0; address != 0 && at < std::min(size, kMostOfStacks);
         at += walk.memory.page_size()) {
        walk.pages.add(address + at, walk.memory.page_size());
    }
}

} // namespace

void collect_cpus(const KernelWalk& walk)
{
    const LinuxKernel& kernel = walk.kernel;
    const std::uint64_t base = walk.memory.pointer(kernel.address("pcpu_base_addr"));
    const std::uint64_t offsets = walk.memory.pointer(kernel.address("pcpu_unit_offsets"));
    const std::uint64_t unit = walk.memory.read_u32(kernel.address("pcpu_unit_size")).value_or(0);
    const std::uint64_t used = used_of_a_unit(kernel, unit);
    const auto run_queues = kernel.symbol("runqueues");
    // Only of a kernel whose symbols do not name its data.
    const auto area = kernel.symbol(kPerCpuArea);
    const std::uint64_t notes = walk.memory.read_u64(kernel.address("crash_notes")).value_or(0);
    const std::uint64_t cpus = walk.cpus();
    for (std::uint32_t cpu = 0; cpu < cpus && !walk.memory.budget_is_used_up(); ++cpu) {
        if (base != 0 && offsets != 0 && unit <= kMostOfAUnit) {
            if (const auto offset = walk.memory.read_u64(offsets + 8 * std::uint64_t{cpu})) {
                walk.pages.add(base + *offset, used);
            }
        }
        if (area) {
            walk.pages.add(walk.per_cpu(area->address, cpu), std::min(area->room, kMostOfAUnit));
        }
        if (run_queues) {
            walk.pages.add(walk.per_cpu(run_queues->address, cpu),
                           std::min(run_queues->room, kMostOfARunQueue));
        }
        walk.pages.add(walk.per_cpu(notes, cpu), kCrashNoteBytes);
        const std::uint64_t stack_at =
            walk.per_cpu(kernel.address(kernel.architecture().irq_stack_pointer), cpu);
        add_stacks(walk, stack_at == 0 ? 0 : walk.memory.pointer(stack_at));
    }
}

} // namespace kmd
