// SPDX-License-Identifier: GPL-2.0-or-later
//
// A controller in a small machine, driven the way a guest drives it: by offsets and values that
// stand in docs/register-spec.md.
#pragma once

#include "common/machine.h"
#include "fake_host.h"
#include "hw/controller/controller.h"
#include "temp_dir.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace kmd::test
{

inline constexpr std::uint64_t kRam = 0x40000000;
inline constexpr std::uint64_t kRamSize = 0x100000;
inline constexpr std::uint64_t kHole = 0x10000000;
inline constexpr std::uint64_t kVirt = 0xffff800000000000;

struct GuestRegion {
    std::uint64_t phys = kRam;
    std::uint64_t virt = kVirt;
    std::uint64_t size = 0x1000;
    std::string name = "region";
    std::uint32_t id = 0;
    std::uint32_t flags = 0;
};

/// The region at `offset` bytes into RAM.
inline GuestRegion ram_region(std::uint64_t offset, std::uint64_t size, std::uint32_t id = 0)
{
    return {kRam + offset, kVirt + offset, size, "region", id, 0};
}

inline Config small_config()
{
    Config config;
    config.slots = 16;
    // A test of files lists the folder: the sidecar has tests of its own.
    config.sidecar = false;
    return config;
}

class TestMachine
{
  public:
    explicit TestMachine(Config config = small_config(), const Machine& cpus = {.elf_machine = 183})
    {
        host.cpus = cpus;
        host.guest.add_ram(kRam, kRamSize);
        if (!config.output && !config.file && !config.chardev) {
            config.output = folder.path();
        }
        auto created = Controller::create(config, host);
        if (!created) {
            throw std::runtime_error(created.error().what);
        }
        controller = std::move(created.value());
    }

    std::uint32_t read32(std::uint64_t offset)
    {
        return static_cast<std::uint32_t>(controller->read(offset, 4));
    }
    std::uint64_t read64(std::uint64_t offset) { return controller->read(offset, 8); }
    void write32(std::uint64_t offset, std::uint32_t value) { controller->write(offset, value, 4); }
    void write64(std::uint64_t offset, std::uint64_t value) { controller->write(offset, value, 8); }

    static std::uint64_t slot(std::uint64_t index) { return 0x1000 + 64 * index; }

    /// Every field of the slot, but no commit.
    void fill_slot(std::uint64_t index, const GuestRegion& region)
    {
        std::string name = region.name;
        name.resize(16, '\0');
        const std::uint64_t at = slot(index);
        write64(at + 0x00, region.phys);
        write64(at + 0x08, region.virt);
        write64(at + 0x10, region.size);
        for (unsigned word = 0; word < 4; ++word) {
            std::uint32_t value = 0;
            for (unsigned i = 0; i < 4; ++i) {
                value |= std::uint32_t{static_cast<unsigned char>(name[word * 4 + i])} << (8 * i);
            }
            write32(at + 0x18 + 4 * word, value);
        }
        write32(at + 0x28, region.id);
        write32(at + 0x2c, region.flags);
    }

    /// Commits the slot as it is filled and returns SLOT_STATUS.
    std::uint32_t commit(std::uint64_t index)
    {
        write32(slot(index) + 0x38, 1);
        return slot_status(index);
    }

    void invalidate(std::uint64_t index) { write32(slot(index) + 0x38, 0); }

    std::uint32_t add(std::uint64_t index, const GuestRegion& region)
    {
        fill_slot(index, region);
        return commit(index);
    }

    std::uint32_t slot_status(std::uint64_t index) { return read32(slot(index) + 0x30); }
    std::uint32_t slot_valid(std::uint64_t index) { return read32(slot(index) + 0x38); }
    std::uint32_t guest_errors() { return read32(0x034); }
    std::uint32_t last_result() { return read32(0x048); }

    /// Rings the doorbell, and lets the host take the dump.
    void dump(std::uint32_t reason = 1)
    {
        write32(0x020, reason);
        host.run_scheduled(*controller);
    }

    TempDir folder;
    FakeHost host;
    std::unique_ptr<Controller> controller;
};

} // namespace kmd::test
