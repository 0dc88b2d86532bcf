// SPDX-License-Identifier: GPL-2.0-or-later
//
// Page tables of 512 entries of 8 bytes and pages of 4 KiB, as x86-64 and RISC-V have them: each level
// translates nine bits of an address.
#pragma once

#include "common/translation_tables.h"

#include <cstdint>

namespace kmd
{

class NineBitTables : public TranslationTables
{
  public:
    static constexpr unsigned kBitsPerLevel = 9;
    static constexpr std::uint64_t kEntrySize = 8;

    /// Width of addresses in bits with `levels` levels.
    static constexpr unsigned address_bits(unsigned levels) { return 12 + kBitsPerLevel * levels; }

    std::uint64_t root() const override { return root_; }
    unsigned levels() const override { return levels_; }
    std::uint64_t page_size() const override { return 4096; }
    TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const override;

  protected:
    /// `root`: guest-physical address of the outermost table.
    NineBitTables(std::uint64_t root, unsigned levels) : root_(root), levels_(levels) {}

    /// The lowest of the address bits that a level translates; the outermost level is 0.
    unsigned shift(unsigned level) const { return 12 + (levels_ - 1 - level) * kBitsPerLevel; }

    struct Entry {
        bool valid = false;
        /// It maps a page or block, and does not lead to a table.
        bool maps = false;
        bool writable = false;
        /// The guest-physical address in it. Of a block, bits within the block do not count.
        std::uint64_t address = 0;
    };
    /// Decodes an entry of the level that translates the address bits from `shift` on.
    virtual Entry decode(std::uint64_t entry, unsigned shift) const = 0;

  private:
    std::uint64_t root_;
    unsigned levels_;
};

} // namespace kmd
