// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/x86_64_tables.h"

#include "common/bits.h"
#include "common/little_endian.h"

#include <array>
#include <cstddef>

namespace kmd
{

namespace
{

constexpr unsigned kEntries = 512;
constexpr unsigned kPageShift = 12;
constexpr unsigned kGibibyteShift = 30;

/// Bits of an entry. kLarge is in entries of 1 GiB and of 2 MiB.
constexpr std::uint64_t kPresent = 1 << 0;
constexpr std::uint64_t kWrite = 1 << 1;
constexpr std::uint64_t kLarge = 1 << 7;

} // namespace

std::uint64_t X86_64Tables::table_address(std::uint64_t value)
{
    // The bits above are protection keys and execute-disable.
    return value & bits(51, kPageShift);
}

std::unique_ptr<const TranslationTables> X86_64Tables::with_root(std::uint64_t root) const
{
    return std::make_unique<X86_64Tables>(root, levels());
}

NineBitTables::Entry X86_64Tables::decode(std::uint64_t entry, unsigned shift) const
{
    const bool is_page = shift == kPageShift;
    return {.valid = (entry & kPresent) != 0,
            .maps = is_page || (shift <= kGibibyteShift && (entry & kLarge) != 0),
            .writable = (entry & kWrite) != 0,
            .address = table_address(entry)};
}

std::optional<std::uint64_t> X86_64Tables::first_mapped_gibibyte(unsigned index, PhysicalMemory& memory) const
{
    std::uint64_t address = ~std::uint64_t{0} << address_bits(levels());
    std::uint64_t table = root();
    for (unsigned level = 0; shift(level) >= kGibibyteShift; ++level) {
        std::array<std::byte, kEntries * kEntrySize> entries;
        if (!memory.read(table, entries)) {
            return std::nullopt;
        }
        std::uint64_t entry = 0;
        for (; index < kEntries && (entry & kPresent) == 0; ++index) {
            entry = load<std::uint64_t>(entries, index * kEntrySize);
            address = (address & ~bits(shift(level) + kBitsPerLevel - 1, shift(level))) | std::uint64_t{index}
                                                                                              << shift(level);
        }
        if ((entry & kPresent) == 0) {
            return std::nullopt;
        }
        table = table_address(entry);
        index = 0;
    }
    return address;
}

} // namespace kmd
