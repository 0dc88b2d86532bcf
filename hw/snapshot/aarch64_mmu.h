// SPDX-License-Identifier: GPL-2.0-or-later
//
// Address translation of an AArch64 CPU, from its system registers: Arm Architecture Reference Manual,
// section D8.1. Stage 2 is ignored: guests of a hypervisor in the guest are not dumped.
#pragma once

#include "common/aarch64_tables.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/cpu_mmu.h"
#include "hw/snapshot/cpu_state.h"
#include "hw/snapshot/system_registers.h"

#include <cstdint>
#include <optional>

namespace kmd
{

class Aarch64Mmu final : public CpuMmu
{
  public:
    /// The translation at the current exception level of the CPU. None if the emulator does not know the
    /// registers, or at EL3.
    static std::optional<Aarch64Mmu> of_cpu(const CpuState& cpu, SystemRegisters& registers);

    std::optional<std::uint64_t> translate(std::uint64_t virt, GuestMemory& memory) const override;

    std::optional<bool> uses(const PageTables& kernel, GuestMemory& memory) const override;

    /// Guest-physical address of the root table of the upper half, which belongs to the kernel. None if the
    /// MMU is off or there is no such table.
    std::optional<std::uint64_t> kernel_root() const;

  private:
    struct Half {
        Aarch64Tables tables;
        /// Bits 63:56 of an address are ignored.
        bool tagged = false;
    };

    Aarch64Mmu() = default;

    static std::optional<Half> half(std::uint64_t root, std::uint64_t size_offset, unsigned page_shift,
                                    bool tagged, bool wide);
    void set_halves(std::uint64_t control, std::uint64_t lower_root, std::uint64_t upper_root);
    void set_lower_half_only(std::uint64_t control, std::uint64_t root);

    bool on_ = false;
    std::optional<Half> lower_;
    std::optional<Half> upper_;
};

} // namespace kmd
