// SPDX-License-Identifier: GPL-2.0-or-later
//
// Address translation of an x86-64 CPU, from its control registers: Intel 64 and IA-32 Architectures Software
// Developer's Manual, volume 3, chapter "Paging". Guests of a hypervisor in the guest are not dumped.
#pragma once

#include "common/x86_64_tables.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/cpu_mmu.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/system_registers.h"

#include <cstdint>
#include <optional>

namespace kmd
{

class X86_64Mmu final : public CpuMmu
{
  public:
    /// None if the emulator does not know the registers, and in the 32-bit modes with paging.
    static std::optional<X86_64Mmu> of_cpu(const CpuState& cpu, SystemRegisters& registers);

    std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const override;

    /// Each process has a root table of its own, which leads to the kernel's tables. A kernel that isolates
    /// them from programs (KPTI) has a second root, in the page behind, for programs alone.
    std::optional<bool> uses(const PageTables& kernel, GuestMemory& memory) const override;

  private:
    X86_64Mmu() = default;

    /// None: paging is off.
    std::optional<X86_64Tables> tables_;
};

} // namespace kmd
