// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/nine_bit_tables.h"

#include "common/bits.h"

namespace kmd
{

TableWalk NineBitTables::walk(std::uint64_t address, PhysicalMemory& memory) const
{
    TableWalk done;
    std::uint64_t table = root_;
    bool writable = true;
    for (unsigned level = 0; level < levels_; ++level) {
        const unsigned low = shift(level);
        const std::uint64_t index = field(address, low + kBitsPerLevel - 1, low);
        const auto word = memory.read_u64(table + index * kEntrySize);
        if (!word) {
            done.table_missing = true;
            break;
        }
        const bool last = level + 1 == levels_;
        done.tables.at(done.table_count++) = table;
        done.to_pages = last;
        if (!last) {
            done.reach = bits(low - 1, 0);
        }
        const Entry entry = decode(*word, low);
        if (!entry.valid) {
            break;
        }
        writable = writable && entry.writable;
        if (entry.maps) {
            done.offset_bits = bits(low - 1, 0);
            done.target = entry.address & ~done.offset_bits;
            done.writable = writable;
            break;
        }
        table = entry.address;
    }
    return done;
}

} // namespace kmd
