// SPDX-License-Identifier: GPL-2.0-or-later
//
// The types of TaskMaker's kernel, and where a dump has them.
#pragma once

#include "btf_maker.h"
#include "core_maker.h"
#include "task_maker.h"

#include <cstdint>
#include <sstream>

namespace kmdump_test
{

constexpr std::uint64_t kTypesAt = 0xffff8000'81000000;

/// task_struct with every kind of member, and a per-CPU variable.
inline Bytes types_of_tasks()
{
    kmd::test::BtfMaker btf;
    const auto number = btf.type("int", 1, 0, 4, {1u << 24 | 32});
    const auto character = btf.type("char", 1, 0, 1, {8});
    const auto name = btf.type("", 3, 0, 0, {character, number, 16});
    const std::uint32_t list = name + 1;
    const std::uint32_t pointer = list + 1;
    btf.structure("list_head", 16, {{"next", pointer, 0}, {"prev", pointer, 8}});
    btf.type("", 2, 0, list, {});
    const auto state = btf.enumeration("states", {{"RUNNING", 1}, {"DEAD", -1}});
    const auto both = btf.anonymous_union(8, {{"flags", number, 0}, {"state", state, 4}});
    const auto lists = btf.type("", 3, 0, 0, {btf.type_definition(list), number, 4});
    btf.structure("task_struct", 0x200,
                  {{"", both, 0},
                   {"tasks", list, TaskMaker::kTasks},
                   {"pid", number, TaskMaker::kPid},
                   {"comm", name, TaskMaker::kComm},
                   {"children", lists, 0x80}});
    btf.structure("btf_module", 32, {{"list", list, 0}, {"btf", pointer, 24}});
    btf.structure("btf", 80, {{"data", pointer, 0}, {"data_size", number, 16}, {"name", name, 24}});
    const auto counter = btf.type("counter", 14, 0, number, {0});
    btf.type(".data..percpu", 15, 1, 4, {counter, 0, 4});
    return btf.make();
}

/// Says where these types are, the per-CPU variable "counter", and the offsets of the CPUs.
inline void describe_types(CoreMaker& maker, const Bytes& types, std::uint64_t counter, std::uint64_t offsets)
{
    std::ostringstream text;
    text << std::hex << "SYMBOL(__start_BTF)=" << kTypesAt
         << "\nSYMBOL(__stop_BTF)=" << kTypesAt + types.size() << "\nSYMBOL(counter)=" << counter
         << "\nSYMBOL(__per_cpu_offset)=" << offsets << "\n";
    *maker.layout += text.str();
}

} // namespace kmdump_test
