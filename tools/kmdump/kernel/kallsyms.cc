// SPDX-License-Identifier: GPL-2.0-or-later
//
// The format is that of scripts/kallsyms.c in the kernel: a name is a length followed by that many indices
// into a table of 256 tokens. The first character of the expanded name is the type of the symbol.
#include "kmdump/kernel/kallsyms.h"

#include "common/little_endian.h"
#include "common/text.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

using kmd::Error;
using kmd::Result;

constexpr std::size_t kTokens = 256;
/// KSYM_NAME_LEN of the kernel.
constexpr std::size_t kLongestName = 512;
/// Far more than a kernel with all options enabled has.
constexpr std::uint64_t kMostSymbols = 1 << 21;
constexpr std::uint64_t kMostNameBytes = 64 << 20;

Error absent(std::string_view table, std::uint64_t address)
{
    return {"the kernel's symbols are not in the dump: expected " + std::string(table) + " at " +
            kmd::hex(address)};
}

Error corrupt(std::string_view why)
{
    return {"the kernel's symbols in the dump are corrupt: " + std::string(why)};
}

/// Reads guest memory sequentially, a block at a time.
class ByteReader
{
  public:
    ByteReader(const KernelMemory& memory, std::uint64_t address) : memory_(memory), address_(address) {}

    /// Nothing if the next byte is not in the dump.
    std::optional<std::uint8_t> next()
    {
        if (position_ == block_.size() && !fetch()) {
            return std::nullopt;
        }
        return std::to_integer<std::uint8_t>(block_[position_++]);
    }

  private:
    /// Fetches up to the next 4 KiB boundary, or less if the dump has less in one extent.
    bool fetch()
    {
        constexpr std::uint64_t page = 4096;
        address_ += block_.size();
        position_ = 0;
        block_.resize(page - address_ % page);
        block_.resize(memory_.read_some(address_, block_));
        return !block_.empty();
    }

    const KernelMemory& memory_;
    std::uint64_t address_;
    std::vector<std::byte> block_;
    std::size_t position_ = 0;
};

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

/// Addresses of the tables. Not every kernel has a base.
struct Tables {
    std::uint64_t names = 0;
    std::uint64_t count = 0;
    std::uint64_t token_table = 0;
    std::uint64_t token_index = 0;
    std::uint64_t offsets = 0;
    std::optional<std::uint64_t> relative_base;
};

Result<Tables> find_tables(const kmd::Vmcoreinfo& vmcoreinfo)
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
                         " in the VMCOREINFO note, found none: the kernel has no "
                         "CONFIG_KALLSYMS"};
        }
        *address = *value;
    }
    tables.relative_base = vmcoreinfo.symbol("SYMBOL(kallsyms_relative_base)");
    return tables;
}

Result<std::array<std::string, kTokens>> read_tokens(const KernelMemory& memory, const Tables& tables)
{
    std::array<std::byte, 2 * kTokens> index;
    if (!memory.read(tables.token_index, index)) {
        return absent("kallsyms_token_index", tables.token_index);
    }
    std::array<std::string, kTokens> tokens;
    for (std::size_t i = 0; i < kTokens; ++i) {
        ByteReader bytes(memory, tables.token_table + kmd::load<std::uint16_t>(index, 2 * i));
        for (;;) {
            const auto byte = bytes.next();
            if (!byte) {
                return absent("kallsyms_token_table", tables.token_table);
            }
            if (*byte == 0) {
                break;
            }
            if (tokens[i].size() == kLongestName) {
                return corrupt("a token is longer than any name");
            }
            tokens[i] += static_cast<char>(*byte);
        }
    }
    return tokens;
}

/// The next name without its type. Nothing if the dump ends or the name is invalid or too long.
std::optional<std::string> read_name(ByteReader& bytes, const std::array<std::string, kTokens>& tokens)
{
    const auto first = bytes.next();
    if (!first) {
        return std::nullopt;
    }
    std::size_t length = *first;
    if (length >= 0x80) { // since Linux 6.1 a second byte has the upper bits
        const auto second = bytes.next();
        if (!second) {
            return std::nullopt;
        }
        length = (length & 0x7f) | std::size_t{*second} << 7;
    }
    std::string name;
    for (; length > 0; --length) {
        const auto token = bytes.next();
        // Empty tokens are refused: they cost time without making the name longer.
        if (!token || tokens[*token].empty() || name.size() + tokens[*token].size() > kLongestName) {
            return std::nullopt;
        }
        name += tokens[*token];
    }
    return name.empty() ? std::nullopt : std::optional(name.substr(1)); // without the type
}

/// The base that is added to each offset. If it is not in the dump, it is computed from the address of
/// _stext, which vmcoreinfo has.
std::optional<std::uint64_t> find_base(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                                       std::uint64_t at, const std::vector<Symbol>& symbols)
{
    if (const auto base = memory.read_u64(at)) {
        return base;
    }
    const auto start = vmcoreinfo.symbol("SYMBOL(_stext)");
    const auto symbol = std::find_if(symbols.begin(), symbols.end(),
                                     [](const Symbol& candidate) { return candidate.name == "_stext"; });
    return start && symbol != symbols.end() ? std::optional(*start - symbol->address) : std::nullopt;
}

/// Turns the offsets of `symbols` into addresses. Without a base an offset is relative to its own entry in
/// the table. The first of `symbols` has number `index`.
void add_base(std::vector<Symbol>& symbols, const Tables& tables, std::optional<std::uint64_t> base,
              std::uint64_t index)
{
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        std::uint64_t& address = symbols[i].address;
        if (base) {
            address += *base;
        } else {
            const auto offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(address));
            address = tables.offsets + 4 * (index + i) + static_cast<std::uint64_t>(std::int64_t{offset});
        }
    }
}

/// Consecutive symbols of the tables.
struct Range {
    std::uint64_t index = 0; ///< of the first symbol
    std::uint64_t name = 0;  ///< byte offset of its name in the names
    std::uint64_t end = 0;   ///< index after the last symbol
};

/// The symbols of a range, with offsets for addresses. Stops where the dump ends: a guest can leave out the
/// end of the tables, which names data. `budget` is the number of bytes that names may still take.
Result<std::vector<Symbol>> read_symbols(const KernelMemory& memory, const Tables& tables,
                                         const std::array<std::string, kTokens>& tokens, const Range& range,
                                         std::uint64_t& budget)
{
    std::vector<Symbol> symbols;
    ByteReader names(memory, tables.names + range.name);
    ByteReader offsets(memory, tables.offsets + 4 * range.index);
    while (symbols.size() < range.end - range.index) {
        auto name = read_name(names, tokens);
        const auto offset = next_number(offsets);
        if (!name || !offset) {
            break;
        }
        if (name->size() > budget) {
            return corrupt("its names are too long");
        }
        budget -= name->size();
        symbols.push_back({*offset, std::move(*name)});
    }
    return symbols;
}

/// The last symbol only marks the end of the table.
SymbolTable table_of(std::vector<Symbol> symbols)
{
    const auto [first, last] =
        std::minmax_element(symbols.begin(), symbols.end(),
                            [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
    const std::uint64_t begin = first->address;
    const std::uint64_t end = last->address;
    return {{}, begin, end, std::move(symbols)};
}

} // namespace

Result<Symbols> read_kallsyms(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                              const kmd::Vmcoreinfo& layout)
{
    const auto tables = find_tables(vmcoreinfo);
    if (!tables) {
        return tables.error();
    }
    const auto count = memory.read_u32(tables.value().count);
    if (!count) {
        return absent("kallsyms_num_syms", tables.value().count);
    }
    if (*count > kMostSymbols || *count > memory.size_limit() / 4) {
        return corrupt("more symbols than the file has room for");
    }
    const auto tokens = read_tokens(memory, tables.value());
    if (!tokens) {
        return tokens.error();
    }
    std::uint64_t budget = kMostNameBytes;
    auto read = read_symbols(memory, tables.value(), tokens.value(), {0, 0, *count}, budget);
    if (!read) {
        return read.error();
    }
    std::vector<Symbol> symbols = std::move(read.value());
    if (symbols.empty()) {
        return absent("kallsyms_names and kallsyms_offsets", tables.value().names);
    }
    std::optional<std::uint64_t> base;
    if (tables.value().relative_base) {
        base = find_base(memory, vmcoreinfo, *tables.value().relative_base, symbols);
        if (!base) {
            return absent("kallsyms_relative_base", *tables.value().relative_base);
        }
    }
    add_base(symbols, tables.value(), base, 0);
    const std::uint64_t known = symbols.size();
    Symbols result(std::move(symbols));
    const auto index = layout.number("NUMBER(kallsyms_init_index)");
    const auto name = layout.number("NUMBER(kallsyms_init_name)");
    // Without a gap the init symbols are among those already read.
    if (index && name && known < *index && *index < *count) {
        auto init = read_symbols(memory, tables.value(), tokens.value(), {*index, *name, *count}, budget);
        if (init && init.value().size() > 1) {
            add_base(init.value(), tables.value(), base, *index);
            result.add({table_of(std::move(init.value()))});
        }
    }
    return result;
}

} // namespace kmdump
