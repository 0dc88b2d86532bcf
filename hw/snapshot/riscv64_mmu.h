// SPDX-License-Identifier: GPL-2.0-or-later
//
// Address translation of a RISC-V CPU, from its system registers: The RISC-V Instruction Set Manual, Volume
// II, register satp. Guests of a hypervisor in the guest are not dumped.
#pragma once

#include "common/riscv64_tables.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/cpu_mmu.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/system_registers.h"

#include <cstdint>
#include <optional>

namespace kmd
{

class Riscv64Mmu final : public CpuMmu
{
  public:
    /// None if the emulator does not know the registers. In machine mode, which is firmware, addresses in the
    /// lower half are physical, and the others are those of the kernel below.
    static std::optional<Riscv64Mmu> of_cpu(const CpuState& cpu, SystemRegisters& registers);

    std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const override;

    /// Each process has a root table of its own, which leads to the kernel's tables.
    std::optional<bool> uses(const PageTables& kernel, GuestMemory& memory) const override;

  private:
    Riscv64Mmu() = default;

    /// None: the MMU is off.
    std::optional<Riscv64Tables> tables_;
    bool in_firmware_ = false;
};

} // namespace kmd
