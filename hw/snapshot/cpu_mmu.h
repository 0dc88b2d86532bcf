// SPDX-License-Identifier: GPL-2.0-or-later
//
// How one CPU sees memory, out of its system registers.
#pragma once

#include "common/machine.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/system_registers.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace kmd
{

class CpuMmu
{
  public:
    virtual ~CpuMmu() = default;

    /// Guest-physical address of a byte; none when the CPU would fault. It need not be RAM.
    virtual std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const = 0;

    /// Guest-physical address of the outermost table of the kernel's addresses. None with the MMU off, and
    /// where there is no such table.
    virtual std::optional<std::uint64_t> kernel_root() const = 0;
};

/// The translation that the CPU uses in the mode that it is in. Null when the emulator does not know the
/// registers, in the firmware's mode, and for a machine that we do not know.
std::unique_ptr<CpuMmu> mmu_of(const CpuState& cpu, const Machine& machine, SystemRegisters& registers);

} // namespace kmd
