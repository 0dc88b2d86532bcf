// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/riscv64_tables.h"

#include "common/bits.h"

namespace kmd
{

namespace
{

constexpr unsigned kPageShift = 12;

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

std::unique_ptr<const TranslationTables> Riscv64Tables::with_root(std::uint64_t root) const
{
    return std::make_unique<Riscv64Tables>(root, levels());
}

NineBitTables::Entry Riscv64Tables::decode(std::uint64_t entry, unsigned) const
{
    const bool maps = (entry & (kRead | kWrite | kExecute)) != 0;
    // The entries that lead to tables say nothing of writing.
    return {.valid = (entry & kValid) != 0,
            .maps = maps,
            .writable = !maps || (entry & kWrite) != 0,
            .address = output_address(entry)};
}

} // namespace kmd
