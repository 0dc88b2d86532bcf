// SPDX-License-Identifier: GPL-2.0-or-later
//
// Short forms for tests that call the composer directly.
#pragma once

#include "core_reader.h"
#include "fake_guest.h"
#include "hw/image/core_image.h"

#include <cstdint>
#include <span>
#include <vector>

namespace kmd::test
{

inline Region memory_at(std::uint64_t phys, std::uint64_t virt, std::uint64_t size, std::uint32_t kind = 0)
{
    Region region;
    region.phys = phys;
    region.virt = virt;
    region.size = size;
    region.kind = kind;
    return region;
}

/// A plan, and how the regions fared that it was made of.
struct ComposedPlan : Plan {
    std::vector<kmd_slot_status> statuses;
};

/// Of a snapshot that nothing else was read for.
inline ComposedPlan compose(const std::vector<Region>& regions, GuestMemory& guest,
                            std::span<const std::byte> cpu_notes = {})
{
    Machine machine;
    machine.elf_machine = 183;
    Snapshot snapshot = read_regions(regions, machine, guest);
    snapshot.cpu_notes.assign(cpu_notes.begin(), cpu_notes.end());
    return {compose_core_image(snapshot, guest, machine), snapshot.regions.statuses()};
}

inline std::uint64_t body_size(const Plan& plan)
{
    std::uint64_t size = 0;
    for (const auto& piece : plan.body) {
        size += piece.size();
    }
    return size;
}

/// The file that the plan describes.
inline std::vector<std::byte> assemble(const Plan& plan)
{
    std::vector<std::byte> file = plan.head;
    for (const auto& piece : plan.body) {
        file.insert(file.end(), piece.begin(), piece.end());
    }
    return file;
}

inline std::vector<int> statuses(const ComposedPlan& plan)
{
    return {plan.statuses.begin(), plan.statuses.end()};
}

} // namespace kmd::test
