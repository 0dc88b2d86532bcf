// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tables that are hardest on the controller, in the RAM of a TestMachine: for its tests and its
// benchmark.
#pragma once

#include "test_machine.h"

#include <cstdint>
#include <vector>

namespace kmd::test
{

inline constexpr std::uint32_t kMostSlots = 65536;

/// How the regions of a full table lie.
struct Layout {
    const char* name;
    GuestRegion (*region)(std::uint32_t index);
};

/// Each inside the one before it.
inline GuestRegion nested(std::uint32_t i)
{
    return ram_region(std::uint64_t{i} * 8, kRamSize - std::uint64_t{i} * 16, i + 1);
}

inline GuestRegion identical(std::uint32_t i)
{
    return ram_region(0, kRamSize, i + 1);
}

inline GuestRegion side_by_side(std::uint32_t i)
{
    return ram_region(std::uint64_t{i} * 16, 16, i + 1);
}

/// Small ones that do not touch, each at a virtual address that has nothing to do with its neighbour's, so
/// that no two become one segment.
inline GuestRegion scattered(std::uint32_t i)
{
    GuestRegion region = ram_region(std::uint64_t{i} * 16, 8, i + 1);
    region.virt = kVirt + std::uint64_t{i} * 0x10000 + i % 4096 * 8;
    return region;
}

inline const std::vector<Layout>& layouts()
{
    static const std::vector<Layout> all = {{"nested", nested},
                                            {"identical", identical},
                                            {"side by side", side_by_side},
                                            {"scattered", scattered}};
    return all;
}

/// Every slot from `first` on.
inline void fill_table(TestMachine& machine, const Layout& layout, std::uint32_t first = 0,
                       std::uint32_t slots = kMostSlots)
{
    for (std::uint32_t i = first; i < slots; ++i) {
        machine.add(i, layout.region(i));
    }
}

/// A list of as many entries as one may have, in RAM of its own behind a hole, that names memory between
/// that of the scattered regions; committed in slot 0. With `in_ram` false no entry is RAM.
inline void add_largest_list(TestMachine& machine, bool in_ram = true)
{
    constexpr std::uint64_t kListAt = 0x60000000;
    constexpr std::uint64_t kStride = 24;
    std::vector<std::uint64_t> entries;
    for (std::uint64_t i = 0; i < 65536; ++i) {
        entries.push_back((in_ram ? kRam : kHole) + i * 16 + 8);
        entries.push_back(kVirt + 0x800000000000 / 2 + i * 0x10000 + i * 16 % 4096 + 8);
        entries.push_back(8);
    }
    machine.host.guest.add_ram(kListAt, 65536 * kStride);
    machine.host.guest.put(kListAt, {reinterpret_cast<const char*>(entries.data()), 65536 * kStride});
    machine.add(0, {kListAt, kVirt - 0x10000000, 65536 * kStride, "list", 0, 3});
}

/// A configuration that takes them.
inline Config with_most_slots()
{
    Config config = small_config();
    config.slots = kMostSlots;
    config.max_dumps = 0;
    return config;
}

} // namespace kmd::test
