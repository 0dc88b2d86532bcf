// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any types in a dump, any expression, any memory.
#include "fuzzed_dump.h"
#include "kmdump/kernel/module_types.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/value_path.h"
#include "types_maker.h"

#include <span>

namespace
{

using kmdump_test::TaskMaker;

/// The list of the modules' types is where the tasks are: it leads anywhere.
void read_module_types(const std::string& path)
{
    const fuzzed::CpuTime time;
    const auto opened = kmdump::open_with_symbols(path, "");
    if (!opened) {
        return;
    }
    const auto& [dump, source] = opened.value();
    const auto types = kmdump::find_types(dump, source.symbols, path, "");
    if (!types) {
        return;
    }
    const auto found = kmdump::find_module_types(dump, source.symbols, types.value(), "");
    fuzzed::require(found || kmdump_test::is_plain_text(found.error().what), "an error is text");
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
    fuzzed::Bytes types = kmdump_test::types_of_tasks();
    if (data.ConsumeBool()) {
        const auto raw = data.ConsumeRemainingBytes<std::uint8_t>();
        const auto all = std::as_bytes(std::span(raw));
        types.assign(all.begin(), all.end());
    } else {
        fuzzed::spoil(data, types);
    }
    auto maker = tasks.core();
    kmdump_test::describe_types(maker, types, TaskMaker::kBase, TaskMaker::kBase);
    // TaskMaker::kBase.
    *maker.layout += "SYMBOL(btf_modules)=ffff000010000000\n";
    maker.memory.push_back({kmdump_test::kTypesAt, 0x48000000, types});
    static const kmdump_test::TemporaryFile file(fuzzed::Bytes{});
    file.write(maker.make());
    std::vector<const char*> words = {"print", file.path().c_str(), value.c_str(), "--cpu", "0"};
    if (json) {
        words.push_back("--json");
    }
    fuzzed::run_command(words);
    read_module_types(file.path());
    return 0;
}
