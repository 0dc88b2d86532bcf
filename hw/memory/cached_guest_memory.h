// SPDX-License-Identifier: GPL-2.0-or-later
//
// Guest memory for the duration of one dump. Asks the emulator, which has to search its memory map, once for
// each block of RAM instead of once for each page.
#pragma once

#include "hw/memory/guest_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace kmd
{

class CachedGuestMemory final : public GuestMemory
{
  public:
    /// Invalid once control returns to the host, like all memory from `host`, which outlives it.
    explicit CachedGuestMemory(GuestMemory& host) : host_(host) {}

    std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
    {
        const auto known = std::find_if(runs_.begin(), runs_.end(),
                                        [&](const Run& run) { return phys - run.phys < run.bytes.size(); });
        const auto bytes = known != runs_.end() ? known->bytes.subspan(phys - known->phys) : ask(phys);
        return bytes.first(std::min<std::uint64_t>(bytes.size(), size));
    }

    std::optional<std::uint64_t> next_ram(std::uint64_t phys) override { return host_.next_ram(phys); }

  private:
    struct Run {
        std::uint64_t phys;
        std::span<const std::byte> bytes;
    };

    /// Machines have fewer blocks of RAM; more runs would only slow down the search.
    static constexpr std::size_t kMostRuns = 16;

    std::span<const std::byte> ask(std::uint64_t phys)
    {
        const auto bytes = host_.map(phys, std::numeric_limits<std::uint64_t>::max() - phys);
        if (!bytes.empty()) {
            // The new run includes those that start later in the same block.
            std::erase_if(runs_, [&](const Run& run) { return run.phys - phys < bytes.size(); });
            if (runs_.size() == kMostRuns) {
                runs_.erase(runs_.begin());
            }
            runs_.push_back({phys, bytes});
        }
        return bytes;
    }

    GuestMemory& host_;
    std::vector<Run> runs_;
};

} // namespace kmd
