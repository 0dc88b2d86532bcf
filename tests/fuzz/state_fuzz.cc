// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any incoming state of a snapshot or migration, and a guest that goes on with it.
#include "fuzzed_machine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    kmd::Config config;
    config.slots = 8;
    config.max_dumps = 4;
    config.sidecar = false;
    kmd::fuzz::Machine machine(config);
    const auto good = machine.controller->save_state();
    // A state of the right length in which the fuzzer changes words, or one of its own.
    auto state = good;
    if (data.ConsumeBool()) {
        for (int i = data.ConsumeIntegralInRange(0, 64); i > 0; --i) {
            const auto word = data.ConsumeIntegralInRange<std::size_t>(0, state.size() / 4 - 1);
            const auto value = data.ConsumeIntegral<std::uint32_t>();
            std::memcpy(state.data() + word * 4, &value, sizeof(value));
        }
    } else {
        const auto own = data.ConsumeRandomLengthString(1024);
        const auto raw = std::as_bytes(std::span(own));
        state.assign(raw.begin(), raw.end());
    }
    if (const auto error = machine.controller->load_state(state)) {
        kmd::fuzz::require(!error->what.empty(), "an error has words");
        return 0;
    }
    kmd::fuzz::require(machine.controller->save_state().size() == good.size(),
                       "the size of a state is fixed");
    (void)machine.controller->regions_json();
    machine.host.run_scheduled(*machine.controller);
    for (int i = 0; i < 50 && data.remaining_bytes() > 0; ++i) {
        kmd::fuzz::act(machine, data);
    }
    machine.check();
    return 0;
}
