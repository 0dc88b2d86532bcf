// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the stacks that the CPUs are using from their registers alone, without symbols or help from the
// guest.
#pragma once

#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"
#include "hw/snapshot/cpu_state.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace kmd
{

/// Address translation of the CPUs.
class AddressTranslation
{
  public:
    virtual ~AddressTranslation() = default;

    /// The guest-physical address of a virtual one in the current translation of CPU number `cpu`; none if it
    /// is not mapped. Not necessarily RAM. `virt` is a multiple of 4 KiB.
    virtual std::optional<std::uint64_t> translate(unsigned cpu, std::uint64_t virt) = 0;
};

/// The pages of every stack that a CPU is using: the one its stack pointer points to and those its frame
/// records lead to (a CPU in an interrupt uses two stacks). Stacks are saved in aligned pieces of the
/// smallest Linux stack size, at most 16 for each CPU, because the guest writes the frame records. The code
/// pages that the CPU executes and returns to follow, at most 64: gdb does not unwind a frame whose code it
/// cannot read. A CPU in user mode has no pages: its kernel stack is empty. One in firmware has the
/// firmware's stack and that of the kernel which called it.
std::vector<Region> stack_pages(std::span<const CpuState> cpus, const Machine& machine,
                                AddressTranslation& translation, GuestMemory& memory);

} // namespace kmd
