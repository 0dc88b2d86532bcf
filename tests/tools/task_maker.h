// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes core images with the tasks of an invented kernel.
#pragma once

#include "core_maker.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kmdump_test
{

/// Tasks of an invented kernel, 0x200 bytes each.
class TaskMaker
{
  public:
    static constexpr std::uint64_t kBase = 0xffff0000'10000000;
    static constexpr std::uint64_t kTasks = 0x10, kPid = 0x20, kTgid = 0x24, kComm = 0x28, kSignal = 0x40,
                                   kNode = 0x48, kState = 0x58, kExit = 0x60, kOnCpu = 0x5c, kThread = 0x80,
                                   kHead = 0x18, kSe = 0x100, kRunTime = 0x20;

    explicit TaskMaker(std::size_t places) : memory_(places * 0x200) {}

    static std::uint64_t at(std::size_t place) { return kBase + place * 0x200; }

    void put_at(std::size_t place, std::uint64_t offset, std::uint64_t value, std::size_t size = 8)
    {
        put(memory_, place * 0x200 + offset, value, size);
    }

    void task(std::size_t place, unsigned pid, unsigned tgid, std::string_view comm)
    {
        put_at(place, kPid, pid, 4);
        put_at(place, kTgid, tgid, 4);
        std::transform(comm.begin(), comm.end(), memory_.begin() + static_cast<long>(place * 0x200 + kComm),
                       [](char c) { return static_cast<std::byte>(c); });
        put_at(place, kState, 1, 4);
    }

    /// Links list_heads at `offset` of these places into a ring.
    void ring(const std::vector<std::pair<std::size_t, std::uint64_t>>& heads)
    {
        for (std::size_t i = 0; i < heads.size(); ++i) {
            const auto& next = heads[(i + 1) % heads.size()];
            put_at(heads[i].first, heads[i].second, at(next.first) + next.second);
            put_at(next.first, next.second + 8, at(heads[i].first) + heads[i].second);
        }
    }

    /// A core image with the tasks, and where their members are.
    CoreMaker core() const
    {
        CoreMaker maker;
        maker.vmcoreinfo = "OSRELEASE=test\n";
        maker.layout = "KMD_LAYOUT=1\nSYMBOL(init_task)=ffff000010000000\n";
        for (const auto& [name, offset] : kOffsets) {
            *maker.layout += "OFFSET(" + std::string(name) + ")=" + std::to_string(offset) + "\n";
        }
        maker.memory = {{kBase, 0x40000000, memory_}};
        return maker;
    }

    /// swapper, init with a second thread, and one more process; two signal_structs.
    static TaskMaker usual()
    {
        TaskMaker maker(6);
        maker.task(0, 0, 0, "swapper/0");
        maker.task(1, 1, 1, "init");
        maker.task(2, 7, 1, "init's thread");
        maker.task(3, 9, 9, "<img src=x>&sixteen");
        maker.ring({{0, kTasks}, {1, kTasks}, {3, kTasks}});
        maker.put_at(1, kSignal, at(4));
        maker.put_at(2, kSignal, at(4));
        maker.put_at(3, kSignal, at(5));
        maker.ring({{4, kHead}, {1, kNode}, {2, kNode}});
        maker.ring({{5, kHead}, {3, kNode}});
        return maker;
    }

  private:
    static constexpr std::pair<std::string_view, std::uint64_t> kOffsets[] = {
        {"task_struct.tasks", kTasks},
        {"task_struct.pid", kPid},
        {"task_struct.tgid", kTgid},
        {"task_struct.comm", kComm},
        {"task_struct.signal", kSignal},
        {"task_struct.thread_node", kNode},
        {"task_struct.__state", kState},
        {"task_struct.exit_state", kExit},
        {"task_struct.on_cpu", kOnCpu},
        {"task_struct.se", kSe},
        {"sched_entity.sum_exec_runtime", kRunTime},
        {"task_struct.thread", kThread},
        {"thread_info.cpu", 0},
        {"signal_struct.thread_head", kHead},
        {"thread_struct.cpu_context", 0}};

    Bytes memory_;
};

} // namespace kmdump_test
