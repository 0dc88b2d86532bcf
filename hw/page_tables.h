// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's own page tables, found through its vmcoreinfo: which pages of them does a reader need
// that walks from swapper_pg_dir to an address? Arm Architecture Reference Manual, section D8.3
// (VMSAv8-64 translation table format), for Linux on AArch64.
#pragma once

#include "core_image.h"
#include "guest_memory.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace kmd
{

/// Virtual addresses by their first and last byte, so that the end of the space is nothing special.
struct AddressRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

class PageTables
{
  public:
    /// None when the machine is not AArch64, or vmcoreinfo lacks a value or has one that no Linux has.
    static std::optional<PageTables> of_kernel(std::string_view vmcoreinfo, const Machine& machine);

    /// Where the kernel's linear map shows the byte at guest-physical address `phys`.
    std::uint64_t linear_address(std::uint64_t phys) const { return phys + linear_distance_; }

    std::uint64_t page_size() const { return std::uint64_t{1} << page_shift_; }

    /// What a walk may cost: the tables are the guest's, and can lead in circles.
    struct Budget {
        std::uint32_t descriptors = 200'000;
        std::uint32_t pages = 8'192;
    };

    /// Adds the guest-physical address of every table page that a walk to an address of `range` reads.
    /// What is not RAM is left out, with what would follow. False when the budget is used up.
    bool collect(const AddressRange& range, GuestMemory& memory, Budget& budget,
                 std::set<std::uint64_t>& pages) const;

  private:
    PageTables() = default;

    std::uint64_t table_address(std::uint64_t descriptor) const;
    std::uint64_t index(std::uint64_t address, unsigned level) const;
    unsigned shift(unsigned level) const;
    bool is_last(unsigned level) const { return level + 1 == levels_; }

    std::uint64_t root_ = 0;
    std::uint64_t linear_distance_ = 0;
    unsigned page_shift_ = 12;
    unsigned address_bits_ = 48;
    unsigned levels_ = 4;
    /// Descriptors have bits 51:50 of the address in bits 9:8.
    bool lpa2_ = false;
};

} // namespace kmd
