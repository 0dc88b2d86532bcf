// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbol table that a Linux kernel carries in its own memory (CONFIG_KALLSYMS), in the format of
// scripts/kallsyms.c of the kernel: a name is a length followed by that many indices into a table of 256
// tokens. The first character of the expanded name is the type of the symbol.
#pragma once

#include "common/linux/virtual_memory.h"
#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

/// Reads guest memory sequentially, a block at a time.
class ByteReader
{
  public:
    /// `memory` outlives the reader.
    ByteReader(const VirtualMemory& memory, std::uint64_t address) : memory_(&memory), address_(address) {}

    /// None if the next byte is not available.
    std::optional<std::uint8_t> next()
    {
        if (position_ == block_.size() && !fetch()) {
            return std::nullopt;
        }
        return std::to_integer<std::uint8_t>(block_[position_++]);
    }

    /// Number of bytes read.
    std::uint64_t count() const { return fetched_ - (block_.size() - position_); }

  private:
    bool fetch();

    const VirtualMemory* memory_;
    std::uint64_t address_;
    std::vector<std::byte> block_;
    std::size_t position_ = 0;
    std::uint64_t fetched_ = 0;
};

class Kallsyms
{
  public:
    /// KSYM_NAME_LEN of the kernel.
    static constexpr std::size_t kLongestName = 512;
    /// Far more symbols than a kernel with all options enabled has.
    static constexpr std::uint32_t kMostSymbols = 1 << 21;

    /// Finds the tables through vmcoreinfo. An error if one is missing or corrupt. `memory` outlives the
    /// object.
    static Result<Kallsyms> open(const VirtualMemory& memory, const Vmcoreinfo& vmcoreinfo);

    /// Number of symbols, at most kMostSymbols.
    std::uint32_t count() const { return count_; }

    struct Entry {
        char type = 0;
        /// Without the type. Valid until the next call of next().
        std::string_view name;
        /// What the table of offsets has, from which address() makes the address.
        std::uint32_t offset = 0;
    };

    /// Reads symbols in the order of the table, which is that of their addresses.
    class Cursor
    {
      public:
        /// None at the end of the memory that is available, or at an invalid or too long name.
        std::optional<Entry> next();

        /// How many bytes of names were read so far, from the first one of this cursor on.
        std::uint64_t name_bytes() const { return names_.count(); }

      private:
        friend class Kallsyms;
        Cursor(const Kallsyms& table, std::uint32_t index, std::uint64_t name);

        const Kallsyms* table_;
        ByteReader names_;
        ByteReader offsets_;
        std::string name_;
    };

    /// `index`: number of the first symbol. `name`: offset of its name in the table of names, in bytes. The
    /// cursor is valid as long as this object stays where it is.
    Cursor cursor(std::uint32_t index = 0, std::uint64_t name = 0) const { return {*this, index, name}; }

    /// Where the kernel keeps the base that is added to each offset. None if it has none, as in Linux 7: each
    /// offset is then relative to its own entry.
    std::optional<std::uint64_t> base_at() const { return base_at_; }

    /// The address of symbol number `index`; that of a per-CPU variable may be its offset in each CPU's area.
    /// `base`: the value at base_at().
    std::uint64_t address(std::uint32_t index, std::uint32_t offset, std::optional<std::uint64_t> base) const;

    /// The base with which a symbol that has this offset is at `address`.
    std::uint64_t base_by(std::uint64_t address, std::uint32_t offset) const;

    /// Where the names and offsets begin.
    std::uint64_t names_at() const { return names_; }

  private:
    Kallsyms() = default;

    const VirtualMemory* memory_ = nullptr;
    std::uint64_t names_ = 0;
    std::uint64_t offsets_ = 0;
    std::optional<std::uint64_t> base_at_;
    std::uint32_t count_ = 0;
    /// Whether offsets are negative but for those that are absolute (CONFIG_KALLSYMS_ABSOLUTE_PERCPU).
    bool below_base_ = false;
    std::array<std::string, 256> tokens_;
};

/// An error for a table that is not available at this address.
Error kallsyms_missing(std::string_view table, std::uint64_t address);

/// An error for tables that contradict themselves.
Error kallsyms_corrupt(std::string_view why);

} // namespace kmd
