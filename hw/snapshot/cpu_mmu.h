// SPDX-License-Identifier: GPL-2.0-or-later
//
// Address translation of one CPU, from its system registers.
#pragma once

#include "common/machine.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/page_tables.h"
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

    /// Guest-physical address of a byte; none if the access would fault. Not necessarily RAM.
    virtual std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const = 0;

    /// Whether the CPU translates kernel addresses with these tables of a kernel. None if the MMU is off or
    /// the CPU has no tables for such addresses.
    virtual std::optional<bool> uses(const PageTables& kernel, GuestMemory& memory) const = 0;
};

/// The translation in the CPU's current mode. Null if the emulator does not know the registers, at EL3,
/// and for an unknown machine.
std::unique_ptr<CpuMmu> mmu_of(const CpuState& cpu, const Machine& machine, SystemRegisters& registers);

} // namespace kmd
