// SPDX-License-Identifier: GPL-2.0-or-later
//
// AArch64 page tables: Arm Architecture Reference Manual, section D8.3 (VMSAv8-64 translation table format).
#pragma once

#include "common/translation_tables.h"

#include <cstdint>

namespace kmd
{

/// The table format of one half of the address space.
struct Aarch64TableFormat {
    /// Guest-physical address of the first table.
    std::uint64_t root = 0;
    /// 12, 14 or 16: pages of 4, 16 or 64 KiB.
    unsigned page_shift = 12;
    /// Number of address bits that are translated.
    unsigned address_bits = 48;
    unsigned levels = 4;
    /// Descriptors have bits 51:50 of the address in bits 9:8 (FEAT_LPA2).
    bool lpa2 = false;

    /// The number of levels that `address_bits` need.
    static unsigned levels_for(unsigned address_bits, unsigned page_shift);
};

class Aarch64Tables final : public TranslationTables
{
  public:
    explicit Aarch64Tables(const Aarch64TableFormat& format) : format_(format) {}

    const Aarch64TableFormat& format() const { return format_; }

    std::uint64_t root() const override { return format_.root; }
    unsigned levels() const override { return format_.levels; }
    std::uint64_t page_size() const override { return std::uint64_t{1} << format_.page_shift; }
    std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const override;
    TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const override;

  private:
    std::uint64_t output_address(std::uint64_t descriptor, unsigned low_bit) const;
    std::uint64_t index(std::uint64_t address, unsigned level) const;
    unsigned shift(unsigned level) const;

    Aarch64TableFormat format_;
};

} // namespace kmd
