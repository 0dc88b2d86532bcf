// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/collect.h"

#include <algorithm>
#include <unordered_set>

namespace kmd
{

namespace
{

/// Deeper than any kernel nests its groups of tasks.
constexpr unsigned kDeepestGroup = 8;
/// Of a stack: 16 KiB to 64 KiB, a power of two.
constexpr std::uint64_t kMostOfAStack = 64 << 10;
constexpr std::uint64_t kCounters = 8;
/// Twice what it has with all extensions of the FPU.
constexpr std::uint64_t kMostOfATask = 32 << 10;

class TaskCollector
{
  public:
    explicit TaskCollector(const KernelWalk& walk)
        : walk_(walk), stack_size_(walk.kernel.architecture().stack_size)
    {
        const auto stack = walk.kernel.symbol("init_stack");
        const std::uint64_t end = walk.kernel.address("__end_init_stack");
        if (stack && end > stack->address && end - stack->address <= kMostOfAStack) {
            stack_size_ = end - stack->address;
        }
        // On x86_64 the registers of the FPU follow the structure, as many as the CPU has.
        const std::uint64_t whole =
            walk.memory.read_u32(walk.kernel.address("arch_task_struct_size")).value_or(0);
        task_size_ = std::max(walk.kernel.size_of("task_struct").value_or(0), std::min(whole, kMostOfATask));
    }

    TasksFound collect()
    {
        const std::uint64_t init_task = walk_.kernel.address("init_task");
        const auto tasks = walk_.kernel.offset("task_struct", "tasks");
        if (init_task == 0 || !tasks) {
            return found_;
        }
        add_idle_tasks();
        const auto add = [&](std::uint64_t task) { add_process(task); };
        if (!walk_.for_each(init_task + *tasks, *tasks, add)) {
            ++found_.broken;
        }
        add_process_numbers();
        return found_;
    }

  private:
    void add_idle_tasks()
    {
        add_process(walk_.kernel.address("init_task"));
        const std::uint32_t cpus = walk_.cpus();
        for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
            const std::uint64_t run_queue = walk_.per_cpu(walk_.kernel.address("runqueues"), cpu);
            add_task(walk_.pointer(run_queue, "rq", "idle"));
        }
    }

    void add_process(std::uint64_t leader)
    {
        add_task(leader);
        const std::uint64_t signal = walk_.pointer(leader, "task_struct", "signal");
        const auto head = walk_.kernel.offset("signal_struct", "thread_head");
        const auto node = walk_.kernel.offset("task_struct", "thread_node");
        if (signal == 0 || !head || !node) {
            return;
        }
        walk_.add(signal, "signal_struct");
        if (!walk_.for_each(signal + *head, *node, [&](std::uint64_t task) { add_task(task); })) {
            ++found_.broken;
        }
    }

    void add_task(std::uint64_t task)
    {
        if (task == 0 || !tasks_.insert(task).second) {
            return;
        }
        ++found_.tasks;
        walk_.pages.add(task, task_size_);
        const std::uint64_t stack = walk_.pointer(task, "task_struct", "stack");
        walk_.pages.add(stack, stack_size_);
        if (stack != 0 && walk_.kernel.architecture().read_frame_record == nullptr) {
            add_stack(task, {stack, stack + stack_size_ - 1});
        }
        add_process_number(walk_.pointer(task, "task_struct", "thread_pid"));
        add_address_space(walk_.pointer(task, "task_struct", "mm"));
        add_groups(task);
    }

    void add_stack(std::uint64_t task, AddressRange stack)
    {
        const Architecture& architecture = walk_.kernel.architecture();
        const auto thread = walk_.kernel.offset("task_struct", "thread");
        const auto context = walk_.kernel.offset("thread_struct", architecture.saved_context);
        const auto on_cpu = walk_.kernel.offset("task_struct", "on_cpu");
        const bool runs = on_cpu && walk_.memory.read_u32(task + *on_cpu).value_or(0) != 0;
        if (!runs && thread && context) {
            const auto saved = architecture.saved_registers(
                task + *thread + *context, [&](std::uint64_t at) { return walk_.memory.read_u64(at); });
            if (saved && stack.contains(saved->sp)) {
                // The return address below the stack pointer is that of the function that switches.
                stack.first = saved->sp - sizeof(std::uint64_t);
            }
        }
        found_.stacks.push_back(stack);
    }

    void add_process_number(std::uint64_t pid)
    {
        if (pid != 0) {
            walk_.pages.add(pid, walk_.kernel.size_of("pid").value_or(0) +
                                     walk_.kernel.size_of("upid").value_or(0));
        }
    }

    void add_address_space(std::uint64_t space)
    {
        if (space == 0 || !spaces_.insert(space).second) {
            return;
        }
        walk_.add(space, "mm_struct");
        // Since Linux 6.2 each CPU counts the pages of a process for itself.
        const auto counters = walk_.kernel.offset("mm_struct", "rss_stat");
        const auto size = walk_.kernel.size_of("percpu_counter");
        const auto pointer = walk_.kernel.offset("percpu_counter", "counters");
        const std::uint64_t bytes = walk_.kernel.member_size("mm_struct", "rss_stat").value_or(0);
        if (!counters || !size || *size == 0 || !pointer || bytes % *size != 0 || bytes / *size > kCounters) {
            return;
        }
        const std::uint32_t cpus = walk_.cpus();
        for (std::uint64_t at = 0; at < bytes; at += *size) {
            const auto counter = walk_.memory.read_u64(space + *counters + at + *pointer);
            for (std::uint32_t cpu = 0; counter && *counter != 0 && cpu < cpus; ++cpu) {
                walk_.pages.add(walk_.per_cpu(*counter, cpu), sizeof(std::uint32_t));
            }
        }
    }

    /// The scheduling groups of a task.
    void add_groups(std::uint64_t task)
    {
        const auto own = walk_.kernel.offset("task_struct", "se");
        std::uint64_t entity = own ? task + *own : 0;
        for (unsigned depth = 0; entity != 0 && depth < kDeepestGroup; ++depth) {
            walk_.add(entity, "sched_entity");
            walk_.add(walk_.pointer(entity, "sched_entity", "cfs_rq"), "cfs_rq");
            entity = walk_.pointer(entity, "sched_entity", "parent");
        }
    }

    /// The tree that leads from a number to struct pid, which readers walk.
    void add_process_numbers()
    {
        const auto idr = walk_.kernel.offset("pid_namespace", "idr");
        const auto root = walk_.kernel.offset("idr", "idr_rt");
        const std::uint64_t space = walk_.kernel.address("init_pid_ns");
        if (idr && root && space != 0) {
            walk_.for_each_in_xarray(space + *idr + *root,
                                     [&](std::uint64_t pid) { add_process_number(pid); });
        }
    }

    const KernelWalk& walk_;
    std::uint64_t stack_size_;
    std::uint64_t task_size_ = 0;
    std::unordered_set<std::uint64_t> tasks_;
    std::unordered_set<std::uint64_t> spaces_;
    TasksFound found_;
};

} // namespace

TasksFound collect_tasks(const KernelWalk& walk)
{
    return TaskCollector(walk).collect();
}

} // namespace kmd
