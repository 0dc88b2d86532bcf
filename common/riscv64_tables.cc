// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/riscv64_tables.h"

#include "common/bits.h"

namespace kmd
{

namespace
{

constexpr std::uint64_t kEntrySize = 8;
constexpr unsigned kPageShift = 12;
constexpr unsigned kBitsPerLevel = 9;

/// Bits of an entry. An entry with R, W and X clear refers to the next table.
constexpr std::uint64_t kValid = 1 << 0;
constexpr std::uint64_t kRead = 1 << 1;
constexpr std::uint64_t kWrite = 1 << 2;
constexpr std::uint64_t kExecute = 1 << 3;

constexpr std::uint64_t output_address(std::uint64_t entry)
{
    return field(entry, 53, 10) << kPageShift;
}

} // namespace

unsigned Riscv64Tables::shift(unsigned level) const
{
    return kPageShift + (levels_ - 1 - level) * kBitsPerLevel;
}

std::unique_ptr<const TranslationTables> Riscv64Tables::with_root(std::uint64_t root) const
{
    return std::make_unique<Riscv64Tables>(root, levels_);
}

TableWalk Riscv64Tables::walk(std::uint64_t address, PhysicalMemory& memory) const
{
    TableWalk done;
    std::uint64_t table = root_;
    for (unsigned level = 0; level < levels_; ++level) {
        const std::uint64_t index = field(address, shift(level) + kBitsPerLevel - 1, shift(level));
        const auto entry = memory.read_u64(table + index * kEntrySize);
        if (!entry) {
            done.table_missing = true;
            break;
        }
        const bool last = level + 1 == levels_;
        done.tables.at(done.table_count++) = table;
        done.to_pages = last;
        if (!last) {
            done.reach = bits(shift(level) - 1, 0);
        }
        if ((*entry & kValid) == 0) {
            break;
        }
        if ((*entry & (kRead | kWrite | kExecute)) != 0) {
            done.offset_bits = bits(shift(level) - 1, 0);
            done.target = output_address(*entry) & ~done.offset_bits;
            done.writable = (*entry & kWrite) != 0;
            break;
        }
        table = output_address(*entry);
    }
    return done;
}

} // namespace kmd
