// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tables by which an x86-64 kernel without frame pointers unwinds its stacks: for each range of its code
// where the caller's stack pointer and return address are (arch/x86/include/asm/orc_types.h of the kernel).
#pragma once

#include "common/linux/virtual_memory.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace kmd
{

/// An entry. Its fields have the names of the kernel's, and the values of Linux 6.4.
struct OrcEntry {
    enum Register {
        kUndefined,
        kPreviousSp,
        kDx,
        kDi,
        kBp,
        kSp,
        kR10,
        kR13,
        kBpIndirect,
        kSpIndirect,
        kOther
    };
    enum Type { kTypeUndefined, kEndOfStack, kCall, kRegs, kRegsPartial };

    std::int16_t sp_offset = 0;
    std::int16_t bp_offset = 0;
    unsigned sp_register = kUndefined;
    unsigned bp_register = kUndefined;
    unsigned type = kTypeUndefined;
};

/// Where the tables are: kernel virtual addresses, 0 if not known.
struct OrcTables {
    /// Of the code that each entry is for, relative to the place of the number: __start_orc_unwind_ip.
    std::uint64_t addresses = 0;
    /// __start_orc_unwind
    std::uint64_t entries = 0;
    /// The number of the first entry of each 256 bytes of code: orc_lookup.
    std::uint64_t lookup = 0;
    /// The first byte of code: _stext.
    std::uint64_t text = 0;
    /// Whether the entries are those of a kernel before Linux 6.4.
    bool old = false;
    /// Whether registers have the numbers of Linux 7.3.
    bool renumbered = false;

    /// A part of a table.
    struct Piece {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
    };

    /// What find() reads for a code address. Sizes are 0 if the tables are not known or not sound.
    std::array<Piece, 3> pieces_for(std::uint64_t address, const VirtualMemory& memory) const;

    /// The entry for a code address in the kernel's text; none if the tables do not have it.
    std::optional<OrcEntry> find(std::uint64_t address, const VirtualMemory& memory) const;

    /// Sets `renumbered` by what is in the tables for the code at `samples`: nearly all entries have the
    /// stack pointer.
    void find_numbering(std::span<const std::uint64_t> samples, const VirtualMemory& memory);

  private:
    struct Numbers {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };
    std::optional<Numbers> numbers_for(std::uint64_t address, const VirtualMemory& memory) const;
};

} // namespace kmd
