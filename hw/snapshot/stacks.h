// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stacks that the CPUs stand on, found from their registers alone: no symbol and no help of the
// guest is needed.
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

/// How the CPUs see memory.
class AddressTranslation
{
  public:
    virtual ~AddressTranslation() = default;

    /// The guest-physical address behind a virtual one, as CPU number `cpu` translates it now; none when
    /// nothing is mapped there. It need not be RAM. `virt` is a multiple of 4 KiB.
    virtual std::optional<std::uint64_t> translate(unsigned cpu, std::uint64_t virt) = 0;
};

/// The pages of every stack that the CPU stands on: where its stack pointer points, and, frame record by
/// frame record, where it came from (a CPU in an interrupt stands on two stacks). In pieces of
/// the size that Linux gives a stack at least, aligned. At most 16 pieces for a CPU: the frame records are
/// the guest's. Behind them the pages of code that the CPU stands in and that its frames return to, at most
/// 64: gdb does not unwind a frame whose code it cannot read. Nothing for a CPU in user mode, whose kernel
/// stack is empty.
std::vector<Region> stack_pages(std::span<const CpuState> cpus, const Machine& machine,
                                AddressTranslation& translation, GuestMemory& memory);

} // namespace kmd
