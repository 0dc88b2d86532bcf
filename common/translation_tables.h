// SPDX-License-Identifier: GPL-2.0-or-later
//
// Page tables in a guest's memory, whatever the architecture. They are the guest's, which can put anything
// into them: a walk ends, and reads nothing but RAM.
#pragma once

#include "common/physical_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace kmd
{

/// The way to an address.
struct TableWalk {
    /// The most levels that any architecture has.
    static constexpr std::size_t kMostLevels = 5;

    /// Guest-physical addresses of the tables that were read, outermost first.
    std::array<std::uint64_t, kMostLevels> tables{};
    std::size_t table_count = 0;
    /// The last of them is a table of pages.
    bool to_pages = false;
    /// Addresses that differ in these bits alone lead through the same tables.
    std::uint64_t reach = ~std::uint64_t{0};
    /// A table on the way is not known.
    bool table_missing = false;
    /// Guest-physical address of the page or block that the way leads to.
    std::optional<std::uint64_t> target = {};
    /// Bits of an address that say where in the page or block it lies.
    std::uint64_t offset_bits = 0;
};

/// Whether an address leads anywhere.
enum class Mapping {
    kMapped,
    kNotMapped,
    /// A table on the way is not known.
    kUnknown,
};

struct Translation {
    Mapping mapping = Mapping::kUnknown;
    /// Of the byte; it need not be RAM.
    std::uint64_t phys = 0;
    /// Addresses that differ in these bits alone lie in the same page or block.
    std::uint64_t offset_bits = 0;
};

class TranslationTables
{
  public:
    virtual ~TranslationTables() = default;

    /// Guest-physical address of the outermost table.
    virtual std::uint64_t root() const = 0;
    virtual unsigned levels() const = 0;
    virtual std::uint64_t page_size() const = 0;

    /// Any address is safe.
    virtual TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const = 0;

    Translation translate(std::uint64_t address, PhysicalMemory& memory) const
    {
        const TableWalk way = walk(address, memory);
        if (!way.target) {
            return {.mapping = way.table_missing ? Mapping::kUnknown : Mapping::kNotMapped};
        }
        return {Mapping::kMapped, *way.target | (address & way.offset_bits), way.offset_bits};
    }

    /// The guest-physical address alone; none where nothing is mapped, or known.
    std::optional<std::uint64_t> find(std::uint64_t address, PhysicalMemory& memory) const
    {
        const Translation found = translate(address, memory);
        return found.mapping == Mapping::kMapped ? std::optional(found.phys) : std::nullopt;
    }
};

} // namespace kmd
