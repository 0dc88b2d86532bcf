// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/tasks.h"

#include "common/architecture.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/orc_unwind.h"
#include "kmdump/kernel/task_layout.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::size_t kMostTasks = 65536;
/// Frames of all tasks together.
constexpr std::size_t kMostFrames = 1 << 20;
/// Nodes of all lists together. Each process has one node that leads to no new task.
constexpr std::size_t kMostNodes = 4 * kMostTasks;
/// Limits of the search for a task by name: bytes of one segment, bytes of all segments, and matches.
constexpr std::uint64_t kMostSearched = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostSearchedInAll = std::uint64_t{512} << 20;
constexpr std::size_t kMostMatches = 1 << 20;
constexpr std::size_t kCommSize = 16; // TASK_COMM_LEN

/// Calls `visit` with the virtual address of each occurrence of `text`, until it returns false.
template <class Visit> void for_each_match(const CoreFile& core, std::string_view text, Visit visit)
{
    std::uint64_t searched = 0;
    std::size_t matches = 0;
    for (const Segment& segment : core.segments()) {
        std::vector<std::byte> bytes(std::min(segment.file_size, kMostSearched));
        searched += bytes.size();
        if (searched > kMostSearchedInAll) {
            return;
        }
        if (!core.read_physical(segment.phys, bytes)) {
            continue;
        }
        const std::string_view memory(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        for (auto at = memory.find(text); at != std::string_view::npos; at = memory.find(text, at + 1)) {
            if (++matches > kMostMatches || !visit(segment.virt + at)) {
                return;
            }
        }
    }
}

class TaskWalk
{
  public:
    /// `layout` has all members that read_task_layout() requires.
    TaskWalk(const Dump& dump, const kmd::Architecture& architecture, const Symbols& symbols,
             MemberOffsets layout)
        : core_(&dump.core), architecture_(&architecture), memory_(dump.memory()),
          unwinder_(memory_, dump.vmcoreinfo, &architecture, symbols, find_orc_tables(dump, symbols)),
          layout_(std::move(layout)), tasks_(offset("task_struct", "tasks")),
          pid_(offset("task_struct", "pid")), tgid_(offset("task_struct", "tgid")),
          comm_(offset("task_struct", "comm")), signal_(offset("task_struct", "signal")),
          thread_node_(offset("task_struct", "thread_node")),
          thread_head_(offset("signal_struct", "thread_head")),
          context_(offset("task_struct", "thread") + offset("thread_struct", architecture.saved_context))
    {
    }

    kmd::Result<TaskList> walk(std::uint64_t init_task)
    {
        const auto first = read_task(init_task);
        if (!first || first->pid != 0 || !first->comm.starts_with("swapper")) {
            return kmd::Error{
                "expected the first task, swapper with PID 0, at init_task, found something else: "
                "it is not in the dump, or the vmlinux file is of another kernel"};
        }
        list_.tasks.push_back(*first);
        seen_.insert(init_task);
        follow(init_task + tasks_, [this](std::uint64_t node) { return add_process(node - tasks_); });
        if (!list_.cut.empty()) {
            follow_back(init_task + tasks_);
        }
        if (list_.tasks.size() == 1) {
            return kmd::Error{"expected init and other tasks after the first, found none (" + list_.cut +
                              "): they are not in the dump, or the vmlinux file is of another kernel"};
        }
        add_idle_tasks();
        return std::move(list_);
    }

  private:
    /// Calls `visit` with each node of a list except its head, until it returns false. Sets `list_.cut` if
    /// the list is broken or too long.
    template <class Visit> void follow(std::uint64_t head, Visit visit)
    {
        std::uint64_t node = head;
        for (;;) {
            const auto next = memory_.read_u64(node);
            if (!next) {
                return cut("a link of the list of tasks is not in the dump");
            }
            if (*next == head) {
                return;
            }
            if (list_.tasks.size() >= kMostTasks) {
                return cut("there are more than 65536");
            }
            if (++nodes_ > kMostNodes) {
                return cut("the list of tasks leads back into itself");
            }
            if (!visit(*next)) {
                return;
            }
            node = *next;
        }
    }

    /// Walks the list of processes backwards from its end, up to the gap that ended the forward walk.
    void follow_back(std::uint64_t head)
    {
        std::uint64_t node = head;
        while (list_.tasks.size() < kMostTasks) {
            const auto before = memory_.read_u64(node + sizeof node);
            if (!before || *before == head || seen_.contains(*before - tasks_) ||
                !add_process(*before - tasks_)) {
                return;
            }
            node = *before;
        }
    }

    /// The idle tasks of the other CPUs ("swapper/1" and so on) are in no list: finds them by name.
    void add_idle_tasks()
    {
        constexpr std::string_view name = "swapper/";
        const auto cpu_at = layout_.find({"thread_info", "cpu"});
        std::set<std::string> known = {list_.tasks.front().comm};
        for_each_match(*core_, name, [&](std::uint64_t virt) {
            const std::uint64_t address = virt - comm_;
            auto task = read_task(address);
            if (!task || task->pid != 0 || task->tgid != 0 || cpu_at == layout_.end() ||
                list_.tasks.size() >= kMostTasks) {
                return true;
            }
            const auto cpu = memory_.read_u32(address + cpu_at->second);
            if (cpu && task->comm == std::string(name) + std::to_string(*cpu) &&
                known.insert(task->comm).second) {
                list_.tasks.push_back(std::move(*task));
            }
            return true;
        });
    }

    void cut(const char* why)
    {
        if (list_.cut.empty()) {
            list_.cut = why;
        }
    }

    bool add_process(std::uint64_t address)
    {
        if (!add(address)) {
            return false;
        }
        if (const auto signal = memory_.read_u64(address + signal_)) {
            follow(*signal + thread_head_, [&](std::uint64_t node) {
                const std::uint64_t thread = node - thread_node_;
                return thread == address || add(thread);
            });
        } else {
            cut("the threads of a process are not in the dump");
        }
        return true;
    }

    bool add(std::uint64_t address)
    {
        if (!seen_.insert(address).second) {
            cut("the list of tasks leads back into itself");
            return false;
        }
        auto task = read_task(address);
        if (!task) {
            cut("a task is not in the dump");
            return false;
        }
        list_.tasks.push_back(std::move(*task));
        return true;
    }

    std::uint64_t offset(const char* structure, const char* member) const
    {
        return layout_.at({structure, member});
    }

    /// Nothing if the kernel has no such member.
    std::optional<std::uint64_t> optional_u32(std::uint64_t task, const char* structure, const char* member)
    {
        const auto found = layout_.find({structure, member});
        const auto value = found == layout_.end() ? std::nullopt : memory_.read_u32(task + found->second);
        return value ? std::optional<std::uint64_t>(*value) : std::nullopt;
    }

    std::optional<std::uint64_t> run_time(std::uint64_t task) const
    {
        const auto entity = layout_.find({"task_struct", "se"});
        const auto time = layout_.find({"sched_entity", "sum_exec_runtime"});
        return entity == layout_.end() || time == layout_.end()
                   ? std::nullopt
                   : memory_.read_u64(task + entity->second + time->second);
    }

    std::optional<Task> read_task(std::uint64_t address)
    {
        const auto pid = memory_.read_u32(address + pid_);
        const auto tgid = memory_.read_u32(address + tgid_);
        std::array<std::byte, kCommSize> comm{};
        if (!pid || !tgid || !memory_.read(address + comm_, comm)) {
            return std::nullopt;
        }
        Task task{.address = address, .pid = *pid, .tgid = *tgid};
        const std::string_view name(reinterpret_cast<const char*>(comm.data()), comm.size());
        task.comm = name.substr(0, name.find('\0'));
        task.state = optional_u32(address, "task_struct", "__state");
        task.exit_state = optional_u32(address, "task_struct", "exit_state").value_or(0);
        task.run_time = run_time(address);
        // An int, and since Linux 7 the first of four bytes.
        if ((optional_u32(address, "task_struct", "on_cpu").value_or(0) & 0xff) != 0) {
            task.cpu = optional_u32(address, "thread_info", "cpu");
            return task;
        }
        const auto saved = architecture_->saved_registers(
            address + context_, [this](std::uint64_t at) { return memory_.read_u64(at); });
        if (saved && saved->pc != 0 && frames_ < kMostFrames) {
            task.backtrace = unwinder_.unwind(*saved);
            frames_ += task.backtrace.frames.size();
            if (frames_ >= kMostFrames) {
                cut("there are more than 1048576 frames: later tasks have no backtrace");
            }
        }
        return task;
    }

    const CoreFile* core_;
    const kmd::Architecture* architecture_;
    KernelMemory memory_;
    Unwinder unwinder_;
    MemberOffsets layout_;
    std::uint64_t tasks_;
    std::uint64_t pid_;
    std::uint64_t tgid_;
    std::uint64_t comm_;
    std::uint64_t signal_;
    std::uint64_t thread_node_;
    std::uint64_t thread_head_;
    std::uint64_t context_;
    std::set<std::uint64_t> seen_;
    std::size_t nodes_ = 0;
    std::size_t frames_ = 0;
    TaskList list_;
};

/// Finds init_task by its name, "swapper/0" or "swapper". The virtual address of the segment can be an
/// alias, so the result is the address that its neighbour in the list of tasks points to.
std::optional<std::uint64_t> find_init_task(const Dump& dump, const MemberOffsets& layout)
{
    constexpr std::string_view kName = "swapper";
    const KernelMemory memory = dump.memory();
    const std::uint64_t comm = layout.at({"task_struct", "comm"});
    const std::uint64_t tasks = layout.at({"task_struct", "tasks"});
    const std::uint64_t pid = layout.at({"task_struct", "pid"});
    std::optional<std::uint64_t> found;
    for_each_match(dump.core, kName, [&](std::uint64_t virt) {
        const std::uint64_t next = memory.read_u64(virt - comm + tasks).value_or(0);
        const std::uint64_t node = memory.read_u64(next + sizeof next).value_or(0);
        // The idle tasks of other CPUs are copies of init_task, to which no neighbour points.
        if (next != 0 && memory.read_u64(node) == next && memory.read_u32(node - tasks + pid) == 0U) {
            found = node - tasks;
        }
        return !found;
    });
    return found;
}

} // namespace

kmd::Result<TaskList> read_tasks(const Dump& dump, const Symbols& symbols, MemberOffsets layout)
{
    const kmd::Architecture* const architecture = kmd::find_architecture(dump.core.summary().machine);
    if (architecture == nullptr) {
        return unknown_machine(dump);
    }
    auto init_task = symbols.address_of("init_task");
    if (!init_task) {
        init_task = find_layout(dump.core).symbol("SYMBOL(init_task)");
    }
    if (!init_task) {
        // The guest saves only the names of functions.
        init_task = find_init_task(dump, layout);
    }
    if (!init_task) {
        return kmd::Error{"expected the symbol init_task, or a task named swapper, found none"};
    }
    return TaskWalk(dump, *architecture, symbols, std::move(layout)).walk(*init_task);
}

std::optional<Frame> waiting_place(const Task& task, const Symbols& symbols)
{
    const auto& frames = task.backtrace.frames;
    if (frames.empty()) {
        return std::nullopt;
    }
    // The innermost frame is that of __switch_to(). The scheduler's other functions have a section of their
    // own.
    const std::uint64_t begin = symbols.address_of("__sched_text_start").value_or(0);
    const std::uint64_t end = symbols.address_of("__sched_text_end").value_or(0);
    const auto found = std::find_if(frames.begin() + 1, frames.end(), [=](const Frame& frame) {
        return frame.address <= begin || frame.address > end;
    });
    if (found != frames.end() && begin < end) {
        return *found;
    }
    return frames.size() > 2 ? frames[2] : frames.back();
}

std::string task_state_letter(const Task& task)
{
    if (task.cpu) {
        return "R";
    }
    if (!task.state) {
        return "?";
    }
    // Follows task_state_to_char() in include/linux/sched.h: 0x402 is TASK_IDLE, 0x1000 TASK_RTLOCK_WAIT,
    // 0x8000 TASK_FROZEN. 0x7f covers the bits that have a letter; the highest one wins.
    constexpr std::uint64_t idle = 0x402;
    if ((*task.state & idle) == idle) {
        return "I";
    }
    if ((*task.state & (0x1000 | 0x8000)) != 0) {
        return "D";
    }
    constexpr std::string_view letters = "RSDTtXZP";
    return std::string(
        1, letters[static_cast<std::size_t>(std::bit_width((*task.state | task.exit_state) & 0x7f))]);
}

} // namespace kmdump
