// SPDX-License-Identifier: GPL-2.0-or-later
//
// A controller in a machine whose every property a fuzzer chooses: RAM with holes, what the MMU says, and
// what the guest does. Dumps go to a folder in memory that is emptied again.
#pragma once

#include "fake_host.h"
#include "hw/controller/controller.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace kmd::fuzz
{

inline constexpr std::uint64_t kRam = 0x40000000;
inline constexpr std::uint64_t kRamSize = 0x40000;
inline constexpr std::uint64_t kSecondRam = 0x80000000;
inline constexpr std::uint64_t kSecondRamSize = 0x4000;

/// Ends the program as a crash that libFuzzer reports: the controller broke a promise.
inline void require(bool kept, const char* promise)
{
    if (!kept) {
        std::fprintf(stderr, "broken promise: %s\n", promise);
        __builtin_trap();
    }
}

class Machine
{
  public:
    explicit Machine(const Config& chosen)
    {
        host.guest.add_ram(kRam, kRamSize);
        host.guest.add_ram(kSecondRam, kSecondRamSize);
        Config config = chosen;
        if (!config.chardev) {
            config.output = folder();
        }
        auto created = Controller::create(config, host);
        if (created) {
            controller = std::move(created.value());
        }
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine()
    {
        for (const auto& entry : std::filesystem::directory_iterator(folder())) {
            std::filesystem::remove_all(entry.path());
        }
    }

    /// Where dumps go; in memory.
    static const std::string& folder()
    {
        static const struct Folder {
            Folder() { require(::mkdtemp(path.data()) != nullptr, "a folder in memory"); }
            ~Folder() { ::rmdir(path.c_str()); }
            std::string path = "/dev/shm/kmemdump-fuzz-XXXXXX";
        } folder;
        return folder.path;
    }

    /// Some bytes at some place in RAM.
    void poke(FuzzedDataProvider& data)
    {
        const auto offset = data.ConsumeIntegralInRange<std::uint64_t>(0, kRamSize - 1);
        auto text = data.ConsumeRandomLengthString(256);
        text.resize(std::min<std::uint64_t>(text.size(), kRamSize - offset));
        if (!text.empty()) {
            host.guest.put(kRam + offset, text);
        }
    }

    /// Whatever happened, these hold.
    void check()
    {
        const std::uint64_t slots = controller->read(0x010, 4);
        require(controller->read(0x02c, 4) <= slots, "no more regions than slots");
        std::uint64_t valid = 0;
        for (std::uint64_t slot = 0; slot < slots; ++slot) {
            valid += controller->read(0x1000 + slot * 64 + 0x38, 4);
        }
        require(valid == controller->read(0x02c, 4), "REGION_COUNT counts the valid slots");
        for (const auto& entry : std::filesystem::directory_iterator(folder())) {
            if (entry.path().extension() == ".elf") {
                require(entry.file_size() <= 4 * (kRamSize + kSecondRamSize) + (std::uint64_t{140} << 20),
                        "a dump is bounded");
            }
        }
    }

    test::FakeHost host;
    std::unique_ptr<Controller> controller;
};

/// One access or event, of the kind that the data names.
inline void act(Machine& machine, FuzzedDataProvider& data)
{
    Controller& controller = *machine.controller;
    switch (data.ConsumeIntegralInRange<int>(0, 9)) {
    case 0: { // any access at all
        const auto offset = data.ConsumeIntegral<std::uint32_t>() % 0x3000;
        controller.write(offset, data.ConsumeIntegral<std::uint64_t>(), data.ConsumeIntegralInRange(0u, 16u));
        break;
    }
    case 1:
        controller.read(data.ConsumeIntegral<std::uint32_t>() % 0x3000, data.ConsumeIntegralInRange(0u, 16u));
        break;
    case 2: // a whole slot, so that commits succeed now and then
    case 3: {
        const std::uint64_t slot = 0x1000 + 64 * data.ConsumeIntegralInRange<std::uint64_t>(0, 8);
        const bool sensible = data.ConsumeBool();
        const auto phys = sensible ? kRam + data.ConsumeIntegralInRange<std::uint64_t>(0, kRamSize)
                                   : data.ConsumeIntegral<std::uint64_t>();
        controller.write(slot + 0x00, phys, 8);
        controller.write(slot + 0x08, data.ConsumeIntegral<std::uint64_t>(), 8);
        controller.write(slot + 0x10,
                         sensible ? data.ConsumeIntegralInRange<std::uint64_t>(0, 0x8000)
                                  : data.ConsumeIntegral<std::uint64_t>(),
                         8);
        controller.write(slot + 0x18, data.ConsumeIntegral<std::uint64_t>(), 8);
        controller.write(slot + 0x28, data.ConsumeIntegralInRange<std::uint32_t>(0, 4), 4);
        controller.write(slot + 0x2c, data.ConsumeIntegralInRange<std::uint32_t>(0, 3), 4);
        controller.write(slot + 0x38, 1, 4);
        break;
    }
    case 4:
        controller.write(0x020, data.ConsumeIntegralInRange<std::uint32_t>(1, 2), 4);
        machine.host.run_scheduled(controller);
        break;
    case 5:
        controller.machine_event(
            data.PickValueInArray({KMD_EVENT_RESET, KMD_EVENT_SHUTDOWN, KMD_EVENT_QUIT, KMD_EVENT_PANIC}));
        break;
    case 6:
        (void)controller.request_dump(data.ConsumeBool() ? "host" : "hang");
        break;
    case 7:
        machine.poke(data);
        break;
    case 8:
        controller.reset();
        break;
    case 9:
        if (data.ConsumeBool()) {
            machine.host.guest.unplug(kSecondRam);
        } else {
            machine.host.guest.plug(kSecondRam);
        }
        break;
    }
}

} // namespace kmd::fuzz
