// SPDX-License-Identifier: GPL-2.0-or-later
//
// RISC-V page tables: The RISC-V Instruction Set Manual, Volume II, chapter "Supervisor-Level ISA", Sv39,
// Sv48 and Sv57.
#pragma once

#include "common/nine_bit_tables.h"

#include <cstdint>

namespace kmd
{

class Riscv64Tables final : public NineBitTables
{
  public:
    /// `root`: guest-physical address of the outermost table. `levels`: 3, 4 or 5.
    Riscv64Tables(std::uint64_t root, unsigned levels) : NineBitTables(root, levels) {}

    std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const override;

  private:
    Entry decode(std::uint64_t entry, unsigned shift) const override;
};

} // namespace kmd
