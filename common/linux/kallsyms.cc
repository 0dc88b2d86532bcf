// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/kallsyms.h"

#include "common/text.h"

#include <utility>

namespace kmd
{

namespace
{

constexpr std::size_t kBlock = 4096;
/// Of the 256 tokens, an offset of two bytes each.
constexpr std::size_t kIndexBytes = 512;

std::optional<std::uint32_t> next_number(ByteReader& bytes)
{
    std::uint32_t number = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const auto byte = bytes.next();
        if (!byte) {
            return std::nullopt;
        }
        number |= std::uint32_t{*byte} << shift;
    }
    return number;
}

/// Addresses of the tables that a kernel has in any release.
struct Tables {
    std::uint64_t names = 0;
    std::uint64_t count = 0;
    std::uint64_t token_table = 0;
    std::uint64_t token_index = 0;
    std::uint64_t offsets = 0;
};

Result<Tables> find_tables(const Vmcoreinfo& vmcoreinfo)
{
    Tables tables;
    const std::pair<const char*, std::uint64_t*> wanted[] = {{"kallsyms_names", &tables.names},
                                                             {"kallsyms_num_syms", &tables.count},
                                                             {"kallsyms_token_table", &tables.token_table},
                                                             {"kallsyms_token_index", &tables.token_index},
                                                             {"kallsyms_offsets", &tables.offsets}};
    for (const auto& [name, address] : wanted) {
        const std::string key = "SYMBOL(" + std::string(name) + ")";
        const auto value = vmcoreinfo.symbol(key);
        if (!value) {
            return Error{"expected " + key +
                         " in the VMCOREINFO note, found none: the kernel has no CONFIG_KALLSYMS"};
        }
        *address = *value;
    }
    return tables;
}

std::optional<Error> read_tokens(const VirtualMemory& memory, const Tables& tables,
                                 std::array<std::string, 256>& tokens)
{
    std::array<std::byte, kIndexBytes> index;
    if (!memory.read(tables.token_index, index)) {
        return kallsyms_missing("kallsyms_token_index", tables.token_index);
    }
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        ByteReader bytes(memory, tables.token_table + load<std::uint16_t>(index, 2 * i));
        for (;;) {
            const auto byte = bytes.next();
            if (!byte) {
                return kallsyms_missing("kallsyms_token_table", tables.token_table);
            }
            if (*byte == 0) {
                break;
            }
            if (tokens[i].size() == Kallsyms::kLongestName) {
                return kallsyms_corrupt("a token is longer than any name");
            }
            tokens[i] += static_cast<char>(*byte);
        }
    }
    return std::nullopt;
}

/// Asks the last entry that is available of those halfway to the end, and so on: an absolute address is that
/// of one of a few hundred per-CPU variables at the beginning.
bool offsets_are_negative(const VirtualMemory& memory, std::uint64_t offsets, std::uint32_t count)
{
    for (; count > 0; count /= 2) {
        if (const auto offset = memory.read_u32(offsets + std::uint64_t{4} * (count - 1))) {
            return static_cast<std::int32_t>(*offset) < 0;
        }
    }
    return false;
}

} // namespace

Error kallsyms_missing(std::string_view table, std::uint64_t address)
{
    return {"the kernel's symbols are missing: expected " + std::string(table) + " at " + hex(address)};
}

Error kallsyms_corrupt(std::string_view why)
{
    return {"the kernel's symbols are corrupt: " + std::string(why)};
}

/// Fetches up to the next 4 KiB boundary, or less if less is available at once.
bool ByteReader::fetch()
{
    address_ += block_.size();
    position_ = 0;
    block_.resize(kBlock - address_ % kBlock);
    block_.resize(memory_->read_some(address_, block_));
    fetched_ += block_.size();
    return !block_.empty();
}

Result<Kallsyms> Kallsyms::open(const VirtualMemory& memory, const Vmcoreinfo& vmcoreinfo)
{
    const auto tables = find_tables(vmcoreinfo);
    if (!tables) {
        return tables.error();
    }
    const auto count = memory.read_u32(tables.value().count);
    if (!count) {
        return kallsyms_missing("kallsyms_num_syms", tables.value().count);
    }
    if (*count > kMostSymbols) {
        return kallsyms_corrupt("more symbols than any kernel has");
    }
    Kallsyms table;
    table.memory_ = &memory;
    table.names_ = tables.value().names;
    table.offsets_ = tables.value().offsets;
    table.base_at_ = vmcoreinfo.symbol("SYMBOL(kallsyms_relative_base)");
    table.count_ = *count;
    table.below_base_ = table.base_at_ && offsets_are_negative(memory, table.offsets_, *count);
    if (auto error = read_tokens(memory, tables.value(), table.tokens_)) {
        return *error;
    }
    return table;
}

Kallsyms::Cursor::Cursor(const Kallsyms& table, std::uint32_t index, std::uint64_t name)
    : table_(&table), names_(*table.memory_, table.names_ + name),
      offsets_(*table.memory_, table.offsets_ + std::uint64_t{4} * index)
{
}

std::optional<Kallsyms::Entry> Kallsyms::Cursor::next()
{
    const auto first = names_.next();
    if (!first) {
        return std::nullopt;
    }
    std::size_t length = *first;
    if (length >= 0x80) { // since Linux 6.1 a second byte has the upper bits
        const auto second = names_.next();
        if (!second) {
            return std::nullopt;
        }
        length = (length & 0x7f) | std::size_t{*second} << 7;
    }
    name_.clear();
    for (; length > 0; --length) {
        const auto number = names_.next();
        if (!number) {
            return std::nullopt;
        }
        // Empty tokens are refused: they cost time without making the name longer.
        const std::string& token = table_->tokens_[*number];
        if (token.empty() || name_.size() + token.size() > kLongestName) {
            return std::nullopt;
        }
        name_ += token;
    }
    const auto offset = next_number(offsets_);
    if (name_.empty() || !offset) {
        return std::nullopt;
    }
    return Entry{name_.front(), std::string_view(name_).substr(1), *offset};
}

std::uint64_t Kallsyms::address(std::uint32_t index, std::uint32_t offset,
                                std::optional<std::uint64_t> base) const
{
    const auto relative = static_cast<std::int32_t>(offset);
    const auto extended = static_cast<std::uint64_t>(std::int64_t{relative});
    if (base && below_base_) {
        return relative >= 0 ? offset : *base - 1 - extended;
    }
    if (base) {
        return *base + offset;
    }
    return offsets_ + std::uint64_t{4} * index + extended;
}

std::uint64_t Kallsyms::base_by(std::uint64_t address, std::uint32_t offset) const
{
    return below_base_
               ? address + 1 + static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(offset)})
               : address - offset;
}

} // namespace kmd
