// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any file that is given to kmdump as a dump: it ends with status 0 or 1, says at most one sentence of error,
// and nothing but text reaches a terminal.
#include "fuzzed_dump.h"

#include <span>

namespace
{

using fuzzed::Bytes;
using kmdump_test::TemporaryFile;

Bytes next_file(FuzzedDataProvider& data)
{
    if (data.ConsumeBool()) {
        const auto raw = data.ConsumeRemainingBytes<std::uint8_t>();
        const auto bytes = std::as_bytes(std::span(raw));
        return {bytes.begin(), bytes.end()};
    }
    static const Bytes good = fuzzed::good_dump();
    Bytes file = good;
    fuzzed::spoil(data, file);
    if (data.ConsumeIntegralInRange(0, 7) == 0) {
        file.resize(data.ConsumeIntegralInRange<std::size_t>(0, file.size()));
    }
    return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    constexpr const char* commands[] = {"info",   "regions", "log",     "cpus", "verify", "diff",
                                        "report", "tasks",   "modules", "bt",   "memory"};
    const std::string command = data.PickValueInArray(commands);
    static const TemporaryFile good(fuzzed::good_dump());
    static const TemporaryFile file(Bytes{});
    const bool json = data.ConsumeBool();
    file.write(next_file(data));
    std::vector<const char*> words = {command.c_str(), file.path().c_str()};
    if (command == "diff") {
        words.push_back(good.path().c_str());
    }
    if (command == "bt") {
        words.push_back("9");
    }
    if (command == "memory") {
        words.push_back("panic");
    }
    if (json && command != "report") {
        words.push_back("--json");
    }
    fuzzed::run_command(words);
    return 0;
}
