// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/guest_memory.h"

namespace kmd
{

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
