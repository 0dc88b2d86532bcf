// SPDX-License-Identifier: GPL-2.0-or-later
//
// RISC-V page tables: The RISC-V Instruction Set Manual, Volume II, chapter "Supervisor-Level ISA", Sv39,
// Sv48 and Sv57.
#pragma once

#include "common/translation_tables.h"

#include <cstdint>

namespace kmd
{

class Riscv64Tables final : public TranslationTables
{
  public:
    /// Width of addresses in bits with `levels` levels: 39, 48 or 57.
    static constexpr unsigned address_bits(unsigned levels) { return 12 + 9 * levels; }

    /// `root`: guest-physical address of the outermost table. `levels`: 3, 4 or 5.
    Riscv64Tables(std::uint64_t root, unsigned levels) : root_(root), levels_(levels) {}

    std::uint64_t root() const override { return root_; }
    unsigned levels() const override { return levels_; }
    std::uint64_t page_size() const override { return 4096; }
    std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const override;
    TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const override;

  private:
    unsigned shift(unsigned level) const;

    std::uint64_t root_;
    unsigned levels_;
};

} // namespace kmd
