// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any ring buffer of printk in a dump.
#include "fuzzed_dump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    kmdump_test::RingMaker ring = fuzzed::good_ring();
    const char* const command = data.ConsumeBool() ? "log" : "info";
    const bool json = data.ConsumeBool();
    ring.linear.resize(ring.linear.size() + (std::size_t{1} << data.ConsumeIntegralInRange(0, 20)));
    if (data.ConsumeBool()) {
        fuzzed::spoil(data, ring.image); // has the ring buffer itself
    } else {
        fuzzed::spoil(data, ring.linear); // has its arrays
    }
    static const kmdump_test::TemporaryFile file(fuzzed::Bytes{});
    file.write(ring.core().make());
    std::vector<const char*> words = {command, file.path().c_str()};
    if (json) {
        words.push_back("--json");
    }
    fuzzed::run_command(words);
    return 0;
}
