// SPDX-License-Identifier: GPL-2.0-or-later
//
// Collects the objects of a kernel, a subject in each file. A list that is broken ends there; the budget of
// the walk's memory bounds them all.
#pragma once

#include "hw/linux/kernel_walk.h"
#include "hw/memory/region.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

/// The printk ring buffer.
struct LogFound {
    /// Vital, with their names. Empty if the kernel has no log that is sound.
    std::vector<Region> regions;
    /// Pages for which there was no room.
    std::uint32_t left_out = 0;
};
LogFound log_regions(const LinuxKernel& kernel, const LiveKernelMemory& memory);

/// Whether the text of the log has the line of a panic. A program can write such a line, too.
bool log_names_a_panic(const LinuxKernel& kernel, const LiveKernelMemory& memory);

/// Variables of the kernel, memory nodes and sections, names of functions.
void collect_variables(const KernelWalk& walk);

/// All variables: .data and .bss. False if the kernel does not name them.
bool collect_data(const KernelWalk& walk);

/// What describes types and names symbols: BTF of the kernel and of its modules, and all of kallsyms.
void collect_types(const KernelWalk& walk);

/// What belongs to each CPU: its area, run queue, crash note, and interrupt stack.
void collect_cpus(const KernelWalk& walk);

/// Tasks with their stacks, and the process numbers that lead to them.
struct TasksFound {
    std::uint32_t tasks = 0;
    /// Lists that do not lead back to their head.
    std::uint32_t broken = 0;
    /// Their stacks: of a task that sleeps from its stack pointer on. Only without frame records.
    std::vector<AddressRange> stacks;
};
TasksFound collect_tasks(const KernelWalk& walk);

/// Modules: their structures, data, symbols, and where their sections are. False if their list does not lead
/// back to its head.
bool collect_modules(const KernelWalk& walk);

/// What the tables of kernel_objects.h lead to.
struct ObjectsFound {
    std::uint32_t objects = 0;
    /// Lists that do not lead back to their head.
    std::uint32_t broken = 0;
    /// There are more objects, or the search took too many steps.
    bool cut = false;
    /// Addresses of the address spaces of processes, struct mm_struct, among them.
    std::vector<std::uint64_t> spaces;
};
ObjectsFound collect_objects(const KernelWalk& walk);

/// The arguments and the environments of processes, and the page tables that lead to them. False if some are
/// longer than 64 KiB, of which only the beginning is added.
bool collect_command_lines(const KernelWalk& walk, std::span<const std::uint64_t> spaces);

} // namespace kmd
