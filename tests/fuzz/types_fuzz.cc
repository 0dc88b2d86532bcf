// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any types in a dump, any expression, any memory.
#include "btf_maker.h"
#include "fuzzed_dump.h"
#include "kmdump/kernel/value_path.h"

#include <span>
#include <sstream>

namespace
{

using kmdump_test::TaskMaker;

constexpr std::uint64_t kTypesAt = 0xffff8000'81000000;

/// Every kind of type, some of them in circles.
fuzzed::Bytes good_types()
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
    const auto lists = btf.type("", 3, 0, 0, {list, number, 4});
    btf.structure("task_struct", 0x200,
                  {{"", both, 0},
                   {"tasks", btf.type_definition(list), TaskMaker::kTasks},
                   {"pid", number, TaskMaker::kPid},
                   {"comm", name, TaskMaker::kComm},
                   {"children", lists, 0x80}});
    const auto counter = btf.type("counter", 14, 0, number, {0});
    btf.type(".data..percpu", 15, 1, 4, {counter, 0, 4});
    return btf.make();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    constexpr const char* kValues[] = {
        "init_task", "*init_task.tasks.next", "init_task.children[1].next->prev", "init_task.state",
        "counter",   "init_task.comm"};
    std::string value = data.PickValueInArray(kValues);
    if (data.ConsumeBool()) {
        value = data.ConsumeRandomLengthString(64);
        // The command line cannot have such a text.
        std::erase(value, '\0');
        std::erase(value, '-');
        if (!kmdump::parse_value_path(value)) {
            return 0;
        }
    }
    const bool json = data.ConsumeBool();
    auto tasks = TaskMaker::usual();
    fuzzed::Bytes types = good_types();
    if (data.ConsumeBool()) {
        const auto raw = data.ConsumeRemainingBytes<std::uint8_t>();
        const auto all = std::as_bytes(std::span(raw));
        types.assign(all.begin(), all.end());
    } else {
        fuzzed::spoil(data, types);
    }
    auto maker = tasks.core();
    std::ostringstream layout;
    layout << std::hex << "SYMBOL(__start_BTF)=" << kTypesAt
           << "\nSYMBOL(__stop_BTF)=" << kTypesAt + types.size() << "\nSYMBOL(counter)=" << TaskMaker::kBase
           << "\nSYMBOL(__per_cpu_offset)=" << TaskMaker::kBase << "\n";
    *maker.layout += layout.str();
    maker.memory.push_back({kTypesAt, 0x48000000, types});
    static const kmdump_test::TemporaryFile file(fuzzed::Bytes{});
    file.write(maker.make());
    std::vector<const char*> words = {"print", file.path().c_str(), value.c_str(), "--cpu", "0"};
    if (json) {
        words.push_back("--json");
    }
    fuzzed::run_command(words);
    return 0;
}
