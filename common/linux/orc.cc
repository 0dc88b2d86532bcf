// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/orc.h"

#include "common/little_endian.h"

namespace kmd
{

namespace
{

constexpr std::uint64_t kBlock = 256;
constexpr std::uint64_t kNumber = sizeof(std::uint32_t);
constexpr std::uint64_t kEntry = 6;
/// More entries than a block of code has instructions are not believed.
constexpr std::uint32_t kMostInABlock = 4096;

/// Before Linux 6.4 the type has two bits, in the order call, regs and partial regs, and the end of a stack
/// is a bit behind it, with or without another one between.
unsigned type_of_old(unsigned flags)
{
    const unsigned type = flags >> 8 & 3;
    const bool no_registers = (flags & 0xf) == OrcEntry::kUndefined;
    return no_registers ? unsigned{OrcEntry::kEndOfStack} : OrcEntry::kCall + type;
}

/// The number of the stack pointer in Linux 7.3.
constexpr unsigned kNewSp = 3;

/// A register of Linux 7.3, where numbers above 10 are not used.
unsigned renumber(unsigned number)
{
    constexpr std::array<unsigned, 11> kBefore = {
        OrcEntry::kUndefined,  OrcEntry::kOther,      OrcEntry::kDx,        OrcEntry::kSp,
        OrcEntry::kBp,         OrcEntry::kDi,         OrcEntry::kR10,       OrcEntry::kR13,
        OrcEntry::kPreviousSp, OrcEntry::kSpIndirect, OrcEntry::kBpIndirect};
    return number < kBefore.size() ? kBefore.at(number) : unsigned{OrcEntry::kOther};
}

} // namespace

std::optional<OrcTables::Numbers> OrcTables::numbers_for(std::uint64_t address,
                                                         const VirtualMemory& memory) const
{
    if (addresses == 0 || entries == 0 || lookup == 0 || address < text) {
        return std::nullopt;
    }
    const std::uint64_t at = lookup + kNumber * ((address - text) / kBlock);
    const auto first = memory.read_u32(at);
    const auto last = memory.read_u32(at + kNumber);
    if (!first || !last || *last < *first || *last - *first > kMostInABlock) {
        return std::nullopt;
    }
    return Numbers{*first, *last};
}

std::array<OrcTables::Piece, 3> OrcTables::pieces_for(std::uint64_t address,
                                                      const VirtualMemory& memory) const
{
    const auto numbers = numbers_for(address, memory);
    if (!numbers) {
        return {};
    }
    const std::uint64_t count = std::uint64_t{numbers->last} - numbers->first + 1;
    return {{{lookup + kNumber * ((address - text) / kBlock), 2 * kNumber},
             {addresses + kNumber * numbers->first, kNumber * count},
             {entries + kEntry * numbers->first, kEntry * count}}};
}

std::optional<OrcEntry> OrcTables::find(std::uint64_t address, const VirtualMemory& memory) const
{
    const auto numbers = numbers_for(address, memory);
    std::optional<std::uint32_t> found;
    for (std::uint32_t i = numbers ? numbers->first : 1; numbers && i <= numbers->last; ++i) {
        const std::uint64_t at = addresses + kNumber * i;
        const auto distance = memory.read_u32(at);
        if (!distance) {
            return std::nullopt;
        }
        if (at + static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(*distance)}) > address) {
            break;
        }
        found = i;
    }
    std::array<std::byte, kEntry> bytes;
    if (!found || !memory.read(entries + kEntry * *found, bytes)) {
        return std::nullopt;
    }
    const unsigned flags = load<std::uint16_t>(bytes, 4);
    const unsigned sp = flags & 0xf;
    const unsigned bp = flags >> 4 & 0xf;
    return OrcEntry{static_cast<std::int16_t>(load<std::uint16_t>(bytes, 0)),
                    static_cast<std::int16_t>(load<std::uint16_t>(bytes, 2)), renumbered ? renumber(sp) : sp,
                    renumbered ? renumber(bp) : bp, old ? type_of_old(flags) : flags >> 8 & 7};
}

void OrcTables::find_numbering(std::span<const std::uint64_t> samples, const VirtualMemory& memory)
{
    int more_of_new = 0;
    for (const std::uint64_t sample : samples) {
        const auto numbers = numbers_for(sample, memory);
        for (std::uint32_t i = numbers ? numbers->first : 1; numbers && i <= numbers->last; ++i) {
            std::array<std::byte, kEntry> bytes;
            if (memory.read(entries + kEntry * i, bytes)) {
                const unsigned number = load<std::uint16_t>(bytes, 4) & 0xf;
                more_of_new += number == kNewSp ? 1 : number == OrcEntry::kSp ? -1 : 0;
            }
        }
    }
    renumbered = more_of_new > 0;
}

} // namespace kmd
