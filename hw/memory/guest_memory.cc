// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/memory/guest_memory.h"

#include <algorithm>

namespace kmd
{

bool GuestMemory::read(std::uint64_t phys, std::span<std::byte> out)
{
    while (!out.empty()) {
        const auto run = map(phys, out.size());
        if (run.empty()) {
            return false;
        }
        std::copy(run.begin(), run.end(), out.begin());
        out = out.subspan(run.size());
        phys += run.size();
    }
    return true;
}

bool is_ram(GuestMemory& memory, std::uint64_t phys, std::uint64_t size)
{
    while (size > 0) {
        const auto run = memory.map(phys, size);
        if (run.empty()) {
            return false;
        }
        phys += run.size();
        size -= run.size();
    }
    return true;
}

} // namespace kmd
