// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/aarch64_tables.h"

#include "common/bits.h"

#include <cstring>

namespace kmd
{

namespace
{

constexpr std::uint64_t kDescriptorSize = 8;
constexpr std::uint64_t kValid = 1;
/// Above the last level: the descriptor leads to a table, and is not a block. On the last one: to a page.
constexpr std::uint64_t kTable = 2;

/// Address bits that each level translates: as many as there are descriptors in a page.
constexpr unsigned bits_per_level(unsigned page_shift)
{
    return page_shift - 3;
}

/// 0 where there is no RAM, which is no valid descriptor.
std::uint64_t read_descriptor(GuestMemory& memory, std::uint64_t phys)
{
    const auto bytes = memory.map(phys, kDescriptorSize);
    std::uint64_t descriptor = 0;
    if (bytes.size() == sizeof(descriptor)) {
        std::memcpy(&descriptor, bytes.data(), sizeof(descriptor));
    }
    return descriptor;
}

} // namespace

unsigned Aarch64Tables::levels_for(unsigned address_bits, unsigned page_shift)
{
    const unsigned per_level = bits_per_level(page_shift);
    return (address_bits - page_shift + per_level - 1) / per_level;
}

unsigned Aarch64Tables::shift(unsigned level) const
{
    return page_shift + (levels - 1 - level) * bits_per_level(page_shift);
}

std::uint64_t Aarch64Tables::index(std::uint64_t address, unsigned level) const
{
    const unsigned top = level == 0 ? address_bits : shift(level - 1);
    return (address & bits(top - 1, shift(level))) >> shift(level);
}

std::uint64_t Aarch64Tables::output_address(std::uint64_t descriptor, unsigned low_bit) const
{
    if (page_shift == 16) {
        return (descriptor & bits(47, low_bit)) | (descriptor & bits(15, 12)) << 36;
    }
    if (lpa2) {
        return (descriptor & bits(49, low_bit)) | (descriptor & bits(9, 8)) << 42;
    }
    return descriptor & bits(47, low_bit);
}

Aarch64Tables::Walk Aarch64Tables::walk(std::uint64_t address, GuestMemory& memory) const
{
    Walk way;
    std::uint64_t table = root;
    for (unsigned level = 0; is_ram(memory, table & ~(page_size() - 1), page_size()); ++level) {
        way.tables.at(way.table_count++) = table;
        if (level + 1 == levels) {
            way.to_pages = true;
            break;
        }
        const auto descriptor = read_descriptor(memory, table + index(address, level) * kDescriptorSize);
        way.reach = bits(shift(level) - 1, 0);
        if ((descriptor & kValid) == 0) {
            break;
        }
        if ((descriptor & kTable) == 0) {
            way.block = output_address(descriptor, shift(level));
            break;
        }
        table = output_address(descriptor, page_shift);
    }
    return way;
}

std::optional<Aarch64Tables::Place> Aarch64Tables::find(std::uint64_t address, GuestMemory& memory) const
{
    const Walk way = walk(address, memory);
    if (way.block) {
        return Place{*way.block | (address & way.reach), way.reach};
    }
    if (!way.to_pages) {
        return std::nullopt;
    }
    const std::uint64_t table = way.tables.at(way.table_count - 1);
    const auto descriptor = read_descriptor(memory, table + index(address, levels - 1) * kDescriptorSize);
    if ((descriptor & (kValid | kTable)) != (kValid | kTable)) {
        return std::nullopt;
    }
    const std::uint64_t in_page = page_size() - 1;
    return Place{output_address(descriptor, page_shift) | (address & in_page), in_page};
}

std::optional<std::uint64_t> Aarch64Tables::translate(std::uint64_t address, GuestMemory& memory) const
{
    const auto place = find(address, memory);
    return place ? std::optional(place->phys) : std::nullopt;
}

} // namespace kmd
