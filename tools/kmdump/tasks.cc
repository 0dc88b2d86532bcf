// SPDX-License-Identifier: GPL-2.0-or-later
#include "tasks.h"

#include "struct_layout.h"

#include <algorithm>
#include <array>
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
/// Bytes of a segment in which the first task is looked for.
constexpr std::uint64_t kMostSearched = std::uint64_t{64} << 20;
constexpr std::size_t kCommSize = 16; // TASK_COMM_LEN

/// struct cpu_context of arm64 begins with x19 to x28, and goes on with fp, sp and pc.
constexpr std::uint64_t kSavedFp = 80;
constexpr std::uint64_t kSavedPc = 96;

class TaskWalk
{
  public:
    /// `layout` has all that read_task_layout() needs.
    TaskWalk(const Dump& dump, MemberOffsets layout)
        : memory_(dump.memory()), unwinder_(memory_, dump.vmcoreinfo), layout_(std::move(layout)),
          tasks_(offset("task_struct", "tasks")), pid_(offset("task_struct", "pid")),
          tgid_(offset("task_struct", "tgid")), comm_(offset("task_struct", "comm")),
          signal_(offset("task_struct", "signal")), thread_node_(offset("task_struct", "thread_node")),
          thread_head_(offset("signal_struct", "thread_head")),
          context_(offset("task_struct", "thread") + offset("thread_struct", "cpu_context"))
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
        return std::move(list_);
    }

  private:
    /// Calls `visit` with each node of a list_head but the head. Ends, with a word, where the list does
    /// not go on as it should.
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
            if (!visit(*next)) {
                return;
            }
            node = *next;
        }
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

    /// Of a member that not every kernel has.
    std::optional<std::uint64_t> optional_u32(std::uint64_t task, const char* structure, const char* member)
    {
        const auto found = layout_.find({structure, member});
        const auto value = found == layout_.end() ? std::nullopt : memory_.read_u32(task + found->second);
        return value ? std::optional<std::uint64_t>(*value) : std::nullopt;
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
        if (optional_u32(address, "task_struct", "on_cpu").value_or(0) != 0) {
            task.cpu = optional_u32(address, "thread_info", "cpu");
            return task;
        }
        const auto pc = memory_.read_u64(address + context_ + kSavedPc);
        const auto frame = memory_.read_u64(address + context_ + kSavedFp);
        if (pc && frame && *pc != 0) {
            task.backtrace = unwinder_.unwind(*pc, *frame);
        }
        return task;
    }

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
    TaskList list_;
};

} // namespace

kmd::Result<MemberOffsets> read_task_layout(const Dump& dump, const std::string& vmlinux)
{
    const auto in_task = [](const char* member) { return MemberName{"task_struct", member}; };
    const std::vector<MemberName> needed = {in_task("tasks"),
                                            in_task("pid"),
                                            in_task("tgid"),
                                            in_task("comm"),
                                            in_task("signal"),
                                            in_task("thread_node"),
                                            in_task("thread"),
                                            {"signal_struct", "thread_head"},
                                            {"thread_struct", "cpu_context"}};
    std::vector<MemberName> wanted = needed;
    wanted.insert(wanted.end(), {in_task("__state"), in_task("on_cpu"), {"thread_info", "cpu"}});
    auto layout =
        read_member_offsets(vmlinux, wanted, std::string(dump.vmcoreinfo.text("BUILD-ID").value_or("")));
    if (!layout) {
        return layout;
    }
    for (const MemberName& name : needed) {
        if (!layout.value().contains(name)) {
            return kmd::Error{"expected " + name.structure + "." + name.member +
                              " in the type information, found none"};
        }
    }
    return layout;
}

namespace
{

/// The address of init_task, found by its name, "swapper/0" or "swapper", in the first segment that
/// has it as the name of a task. Where the segment says that it lies can be an alias; its neighbour in
/// the list of tasks knows the address that the kernel uses.
std::optional<std::uint64_t> find_init_task(const Dump& dump, const MemberOffsets& layout)
{
    constexpr std::string_view kName = "swapper";
    const KernelMemory memory = dump.memory();
    const std::uint64_t comm = layout.at({"task_struct", "comm"});
    const std::uint64_t tasks = layout.at({"task_struct", "tasks"});
    const std::uint64_t pid = layout.at({"task_struct", "pid"});
    for (const Segment& segment : dump.core.segments()) {
        std::vector<std::byte> bytes(std::min(segment.file_size, kMostSearched));
        if (!dump.core.read_physical(segment.phys, bytes)) {
            continue;
        }
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        for (auto at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
            const std::uint64_t next = memory.read_u64(segment.virt + at - comm + tasks).value_or(0);
            const std::uint64_t node = memory.read_u64(next + sizeof next).value_or(0);
            // The other CPUs' idle tasks are copies, which the list does not know.
            if (next != 0 && memory.read_u64(node) == next && memory.read_u32(node - tasks + pid) == 0U) {
                return node - tasks;
            }
        }
    }
    return std::nullopt;
}

} // namespace

kmd::Result<TaskList> read_tasks(const Dump& dump, const Symbols& symbols, MemberOffsets layout)
{
    auto init_task = symbols.address_of("init_task");
    if (!init_task) {
        // The guest saves the names of functions alone.
        init_task = find_init_task(dump, layout);
    }
    if (!init_task) {
        return kmd::Error{"expected the symbol init_task, or a task named swapper, found none"};
    }
    return TaskWalk(dump, std::move(layout)).walk(*init_task);
}

std::string task_state_letter(const Task& task)
{
    if (task.cpu) {
        return "R";
    }
    if (!task.state) {
        return "?";
    }
    // include/linux/sched.h of the kernel: TASK_INTERRUPTIBLE and so on; TASK_NOLOAD makes a sleep idle.
    constexpr std::uint64_t kIdle = 0x402;
    if ((*task.state & kIdle) == kIdle) {
        return "I";
    }
    constexpr std::array<std::pair<std::uint64_t, const char*>, 5> kLetters = {
        {{0x1, "S"}, {0x2, "D"}, {0x4, "T"}, {0x8, "t"}, {0x80, "X"}}};
    for (const auto& [bit, letter] : kLetters) {
        if ((*task.state & bit) != 0) {
            return letter;
        }
    }
    return *task.state == 0 ? "R" : "?";
}

} // namespace kmdump
