// SPDX-License-Identifier: GPL-2.0-or-later
//
// x86-64 page tables: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, chapter
// "Paging", 4-level and 5-level paging.
#pragma once

#include "common/nine_bit_tables.h"

#include <cstdint>

namespace kmd
{

class X86_64Tables final : public NineBitTables
{
  public:
    /// The guest-physical address in CR3 or in an entry that refers to a table.
    static std::uint64_t table_address(std::uint64_t value);

    /// `root`: guest-physical address of the outermost table. `levels`: 4 or 5.
    X86_64Tables(std::uint64_t root, unsigned levels) : NineBitTables(root, levels) {}

    std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const override;

    /// The address where the first present entry of each table leads, from entry `index` of the outermost
    /// table down to an entry of 1 GiB. None if a table cannot be read or has no such entry. At most one
    /// table of each level is read. `index`: 256 or more, the kernel's half. The address is a multiple of 1
    /// GiB.
    std::optional<std::uint64_t> first_mapped_gibibyte(unsigned index, PhysicalMemory& memory) const;

  private:
    Entry decode(std::uint64_t entry, unsigned shift) const override;
};

} // namespace kmd
