// SPDX-License-Identifier: GPL-2.0-or-later
//
// Page tables in guest memory, for any architecture. The guest can write anything into them, so every walk is
// bounded and reads only RAM.
#pragma once

#include "common/physical_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace kmd
{

/// The result of a page table walk.
struct TableWalk {
    /// The largest number of levels of any architecture.
    static constexpr std::size_t kMostLevels = 5;

    /// Guest-physical addresses of the tables that were read, outermost first.
    std::array<std::uint64_t, kMostLevels> tables{};
    std::size_t table_count = 0;
    /// Whether the last of them is a last-level table, whose entries map pages.
    bool to_pages = false;
    /// Addresses that differ only in these bits use the same tables.
    std::uint64_t reach = ~std::uint64_t{0};
    /// A table cannot be read.
    bool table_missing = false;
    /// Guest-physical address of the page or block; none if nothing is mapped.
    std::optional<std::uint64_t> target = {};
    /// The address bits that are the offset in the page or block.
    std::uint64_t offset_bits = 0;
    /// Whether the kernel may write there.
    bool writable = false;
};

/// Whether an address is mapped.
enum class Mapping {
    kMapped,
    kNotMapped,
    /// A table cannot be read.
    kUnknown,
};

struct Translation {
    Mapping mapping = Mapping::kUnknown;
    /// Guest-physical address of the byte; not necessarily RAM.
    std::uint64_t phys = 0;
    /// Addresses that differ only in these bits are in the same page or block.
    std::uint64_t offset_bits = 0;
    /// Whether the kernel may write there.
    bool writable = false;
};

class TranslationTables
{
  public:
    virtual ~TranslationTables() = default;

    /// Guest-physical address of the outermost table.
    virtual std::uint64_t root() const = 0;
    virtual unsigned levels() const = 0;
    virtual std::uint64_t page_size() const = 0;

    /// Tables in the same format, such as those of a process. `root`: the guest-physical address of the
    /// outermost one.
    virtual std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const = 0;

    /// Any address is safe.
    virtual TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const = 0;

    Translation translate(std::uint64_t address, PhysicalMemory& memory) const
    {
        const TableWalk found = walk(address, memory);
        if (!found.target) {
            return {.mapping = found.table_missing ? Mapping::kUnknown : Mapping::kNotMapped};
        }
        return {Mapping::kMapped, *found.target | (address & found.offset_bits), found.offset_bits,
                found.writable};
    }

    /// Only the guest-physical address; none if the address is not mapped or a table is not available.
    std::optional<std::uint64_t> find(std::uint64_t address, PhysicalMemory& memory) const
    {
        const Translation found = translate(address, memory);
        return found.mapping == Mapping::kMapped ? std::optional(found.phys) : std::nullopt;
    }
};

} // namespace kmd
