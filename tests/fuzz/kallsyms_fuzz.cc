// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any tables of symbols in a dump.
#include "fuzzed_dump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    auto kallsyms = fuzzed::good_symbols();
    kallsyms.with_base = data.ConsumeBool();
    auto tables = kallsyms.make();
    // What follows the tables is zeros, as much of a dump is.
    tables.bytes.resize(tables.bytes.size() + (std::size_t{1} << data.ConsumeIntegralInRange(0, 20)));
    const bool json = data.ConsumeBool();
    if (data.ConsumeBool()) {
        const auto raw = data.ConsumeRemainingBytes<std::uint8_t>();
        for (std::size_t i = 0; i < raw.size() && i < tables.bytes.size(); ++i) {
            tables.bytes[i] = static_cast<std::byte>(raw[i]);
        }
    } else {
        fuzzed::spoil(data, tables.bytes);
    }
    auto maker = fuzzed::good_ring().core();
    maker.memory.push_back(tables);
    fuzzed::complete(maker);
    static const kmdump_test::TemporaryFile file(fuzzed::Bytes{});
    file.write(maker.make());
    std::vector<const char*> words = {"cpus", file.path().c_str()};
    if (json) {
        words.push_back("--json");
    }
    fuzzed::run_command(words);
    return 0;
}
