// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/aarch64_tables.h"

#include "common/bits.h"

namespace kmd
{

namespace
{

constexpr std::uint64_t kDescriptorSize = 8;
constexpr std::uint64_t kValid = 1;
/// Set in a table descriptor (clear in a block descriptor), and in a page descriptor of the last level.
constexpr std::uint64_t kTable = 2;
/// AP[2] of a page or block descriptor.
constexpr std::uint64_t kReadOnly = 1 << 7;

/// Address bits that each level translates: log2 of the number of descriptors in a page.
constexpr unsigned bits_per_level(unsigned page_shift)
{
    return page_shift - 3;
}

} // namespace

unsigned Aarch64TableFormat::levels_for(unsigned address_bits, unsigned page_shift)
{
    const unsigned per_level = bits_per_level(page_shift);
    return (address_bits - page_shift + per_level - 1) / per_level;
}

unsigned Aarch64Tables::shift(unsigned level) const
{
    return format_.page_shift + (format_.levels - 1 - level) * bits_per_level(format_.page_shift);
}

std::uint64_t Aarch64Tables::index(std::uint64_t address, unsigned level) const
{
    const unsigned top = level == 0 ? format_.address_bits : shift(level - 1);
    return (address & bits(top - 1, shift(level))) >> shift(level);
}

std::uint64_t Aarch64Tables::output_address(std::uint64_t descriptor, unsigned low_bit) const
{
    if (format_.page_shift == 16) {
        return (descriptor & bits(47, low_bit)) | (descriptor & bits(15, 12)) << 36;
    }
    if (format_.lpa2) {
        return (descriptor & bits(49, low_bit)) | (descriptor & bits(9, 8)) << 42;
    }
    return descriptor & bits(47, low_bit);
}

std::unique_ptr<const TranslationTables> Aarch64Tables::with_root(std::uint64_t root) const
{
    Aarch64TableFormat format = format_;
    format.root = root;
    return std::make_unique<Aarch64Tables>(format);
}

TableWalk Aarch64Tables::walk(std::uint64_t address, PhysicalMemory& memory) const
{
    TableWalk done;
    std::uint64_t table = format_.root;
    for (unsigned level = 0; level < format_.levels; ++level) {
        const auto descriptor = memory.read_u64(table + index(address, level) * kDescriptorSize);
        if (!descriptor) {
            done.table_missing = true;
            break;
        }
        const bool last = level + 1 == format_.levels;
        done.tables.at(done.table_count++) = table;
        done.to_pages = last;
        if (!last) {
            done.reach = bits(shift(level) - 1, 0);
        }
        if ((*descriptor & kValid) == 0 || (last && (*descriptor & kTable) == 0)) {
            break;
        }
        if (last || (*descriptor & kTable) == 0) {
            done.target = output_address(*descriptor, shift(level));
            done.offset_bits = bits(shift(level) - 1, 0);
            done.writable = (*descriptor & kReadOnly) == 0;
            break;
        }
        table = output_address(*descriptor, format_.page_shift);
    }
    return done;
}

} // namespace kmd
