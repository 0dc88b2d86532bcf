// SPDX-License-Identifier: GPL-2.0-or-later
//
// The controller through its MMIO window, in the numbers of docs/register-spec.md: written here a
// second time on purpose, so that no test takes its expectation from the code under test.
#pragma once

#include "elf_core.h"
#include "qtest.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>

namespace device
{

inline constexpr std::uint64_t kWindow = 0x0b000000;
inline constexpr std::uint64_t kRam = 0x40000000;
inline constexpr std::uint64_t kRamSize = 256 * 1024 * 1024;

inline constexpr std::uint64_t kDoorbell = kWindow + 0x20;
inline constexpr std::uint64_t kStatus = kWindow + 0x24;
inline constexpr std::uint64_t kResetTable = kWindow + 0x28;
inline constexpr std::uint64_t kRegionCount = kWindow + 0x2c;
inline constexpr std::uint64_t kFreeSlot = kWindow + 0x30;
inline constexpr std::uint64_t kGuestErrors = kWindow + 0x34;
inline constexpr std::uint64_t kDumpCount = kWindow + 0x40;
inline constexpr std::uint64_t kLastReason = kWindow + 0x44;
inline constexpr std::uint64_t kLastResult = kWindow + 0x48;
inline constexpr std::uint64_t kLastRegions = kWindow + 0x4c;
inline constexpr std::uint64_t kLastBytes = kWindow + 0x50;
inline constexpr std::uint64_t kLastNanoseconds = kWindow + 0x58;
inline constexpr std::uint64_t kLastRejected = kWindow + 0x60;

inline constexpr std::uint32_t kPanic = 1;
inline constexpr std::uint32_t kRequest = 2;

struct RegionSpec {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::uint32_t id = 0;
    std::uint32_t flags = 0;
    std::string name = "region";
};

inline std::uint64_t slot(std::uint32_t index, std::uint64_t window = kWindow)
{
    return window + 0x1000 + std::uint64_t{index} * 64;
}

/// Fills a slot without committing it.
inline void fill_slot(support::QtestMachine& machine, std::uint32_t index, const RegionSpec& region,
                      std::uint64_t window = kWindow)
{
    const std::uint64_t at_slot = slot(index, window);
    machine.write64(at_slot + 0x00, region.phys);
    machine.write64(at_slot + 0x08, region.virt);
    machine.write64(at_slot + 0x10, region.size);
    for (std::size_t i = 0; i < 16; ++i) {
        std::uint32_t word = 0;
        for (std::size_t byte = 0; byte < 4; ++byte) {
            const std::size_t at = i / 4 * 4 + byte;
            const char c = at < region.name.size() ? region.name[at] : '\0';
            word |= std::uint32_t{static_cast<unsigned char>(c)} << byte * 8;
        }
        if (i % 4 == 0) {
            machine.write32(at_slot + 0x18 + i, word);
        }
    }
    machine.write32(at_slot + 0x28, region.id);
    machine.write32(at_slot + 0x2c, region.flags);
}

/// Fills and commits a slot; returns SLOT_STATUS.
inline std::uint32_t commit(support::QtestMachine& machine, std::uint32_t index, const RegionSpec& region,
                            std::uint64_t window = kWindow)
{
    const std::uint64_t at_slot = slot(index, window);
    fill_slot(machine, index, region, window);
    machine.write32(at_slot + 0x38, 1);
    return machine.read32(at_slot + 0x30);
}

/// Rings and waits until the controller is done; returns LAST_RESULT.
inline std::uint32_t ring(support::QtestMachine& machine, std::uint32_t reason = kPanic,
                          std::uint64_t window = kWindow)
{
    machine.write32(window + (kDoorbell - kWindow), reason);
    while ((machine.read32(window + (kStatus - kWindow)) & 2) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return machine.read32(window + (kLastResult - kWindow));
}

/// Fails the test when the condition is not true within twenty seconds.
template <class Condition> void wait_until(const Condition& condition)
{
    for (int i = 0; i < 4000 && !condition(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(condition());
}

} // namespace device
