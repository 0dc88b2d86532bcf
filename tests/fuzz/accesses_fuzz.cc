// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any sequence of accesses, events and changes of memory, in either format.
#include "fuzzed_machine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    kmd::Config config;
    config.slots = 8;
    config.max_dumps = 4;
    config.on_quit = true;
    config.format = data.ConsumeBool() ? "enriched" : "coreimage";
    kmd::fuzz::Machine machine(config);
    for (int i = 0; i < 200 && data.remaining_bytes() > 0; ++i) {
        kmd::fuzz::act(machine, data);
    }
    machine.check();
    return 0;
}
