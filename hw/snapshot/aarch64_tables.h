// SPDX-License-Identifier: GPL-2.0-or-later
//
// Page tables of AArch64: Arm Architecture Reference Manual, section D8.3 (VMSAv8-64 translation table
// format). The tables are the guest's, who can put anything into them: nothing but RAM is read.
#pragma once

#include "hw/snapshot/guest_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace kmd
{

/// The tables of one half of the address space.
struct Aarch64Tables {
    /// The most levels that there are: 52 bits in pages of 4 KiB.
    static constexpr std::size_t kMostLevels = 5;

    /// Guest-physical address of the first table.
    std::uint64_t root = 0;
    /// 12, 14 or 16: pages of 4, 16 or 64 KiB.
    unsigned page_shift = 12;
    /// Bits of an address that are translated.
    unsigned address_bits = 48;
    unsigned levels = 4;
    /// Descriptors have bits 51:50 of the address in bits 9:8 (FEAT_LPA2).
    bool lpa2 = false;

    /// How many levels it takes to translate so many bits.
    static unsigned levels_for(unsigned address_bits, unsigned page_shift);

    std::uint64_t page_size() const { return std::uint64_t{1} << page_shift; }

    /// The tables on the way to an address, outermost first.
    struct Walk {
        std::array<std::uint64_t, kMostLevels> tables{};
        std::size_t table_count = 0;
        /// Addresses that differ in these bits alone have the same way.
        std::uint64_t reach = ~std::uint64_t{0};
        /// The way leads to a table of pages.
        bool to_pages = false;
        /// Where it leads to a block: the guest-physical address of the block.
        std::optional<std::uint64_t> block = {};
    };

    /// Ends ahead of the first table that is not RAM. Any address is safe.
    Walk walk(std::uint64_t address, GuestMemory& memory) const;

    /// Where an address leads to.
    struct Place {
        std::uint64_t phys = 0;
        /// Addresses that differ in these bits alone lie in the same page or block.
        std::uint64_t reach = 0;
    };

    /// None where nothing is mapped. What is there need not be RAM.
    std::optional<Place> find(std::uint64_t address, GuestMemory& memory) const;

    /// Guest-physical address of the byte at `address`; none where nothing is mapped. It need not be RAM.
    std::optional<std::uint64_t> translate(std::uint64_t address, GuestMemory& memory) const;

  private:
    std::uint64_t output_address(std::uint64_t descriptor, unsigned low_bit) const;
    std::uint64_t index(std::uint64_t address, unsigned level) const;
    unsigned shift(unsigned level) const;
};

} // namespace kmd
