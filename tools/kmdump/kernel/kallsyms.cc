// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/kallsyms.h"

#include "common/linux/kallsyms.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

using kmd::Kallsyms;
using kmd::kallsyms_corrupt;
using kmd::kallsyms_missing;
using kmd::Result;

/// Bytes that all names together may take.
constexpr std::uint64_t kMostNameBytes = 64 << 20;

/// The base that is added to each offset. If it is not in the dump, it is computed from the address of
/// _stext, which vmcoreinfo has.
std::optional<std::uint64_t> find_base(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                                       const Kallsyms& table, const std::vector<Symbol>& symbols)
{
    if (const auto base = memory.read_u64(*table.base_at())) {
        return base;
    }
    const auto start = vmcoreinfo.symbol("SYMBOL(_stext)");
    const auto symbol = std::find_if(symbols.begin(), symbols.end(),
                                     [](const Symbol& candidate) { return candidate.name == "_stext"; });
    return start && symbol != symbols.end()
               ? std::optional(table.base_by(*start, static_cast<std::uint32_t>(symbol->address)))
               : std::nullopt;
}

/// Turns the offsets of `symbols` into addresses. The first of them has number `index`.
void add_base(std::vector<Symbol>& symbols, const Kallsyms& table, std::optional<std::uint64_t> base,
              std::uint32_t index)
{
    for (Symbol& symbol : symbols) {
        symbol.address = table.address(index++, static_cast<std::uint32_t>(symbol.address), base);
    }
}

/// The symbols from number `index` on, whose name is at byte `name` of the names, with offsets for addresses.
/// Stops where the dump ends: a guest can leave out the end of the tables, which names data. `budget` is the
/// number of bytes that names may still take.
Result<std::vector<Symbol>> read_symbols(const Kallsyms& table, std::uint32_t index, std::uint64_t name,
                                         std::uint64_t& budget)
{
    std::vector<Symbol> symbols;
    auto cursor = table.cursor(index, name);
    while (symbols.size() < table.count() - index) {
        const auto entry = cursor.next();
        if (!entry) {
            break;
        }
        if (entry->name.size() > budget) {
            return kallsyms_corrupt("its names are too long");
        }
        budget -= entry->name.size();
        symbols.push_back({entry->offset, std::string(entry->name)});
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
    const auto opened = Kallsyms::open(memory, vmcoreinfo);
    if (!opened) {
        return opened.error();
    }
    const Kallsyms& table = opened.value();
    std::uint64_t budget = kMostNameBytes;
    auto read = read_symbols(table, 0, 0, budget);
    if (!read) {
        return read.error();
    }
    std::vector<Symbol> symbols = std::move(read.value());
    if (symbols.empty()) {
        return kallsyms_missing("kallsyms_names and kallsyms_offsets", table.names_at());
    }
    std::optional<std::uint64_t> base;
    if (table.base_at()) {
        base = find_base(memory, vmcoreinfo, table, symbols);
        if (!base) {
            return kallsyms_missing("kallsyms_relative_base", *table.base_at());
        }
    }
    add_base(symbols, table, base, 0);
    const std::uint64_t known = symbols.size();
    Symbols result(std::move(symbols));
    const auto index = layout.number("NUMBER(kallsyms_init_index)");
    const auto name = layout.number("NUMBER(kallsyms_init_name)");
    // Without a gap the init symbols are among those already read.
    if (index && name && known < *index && *index < table.count()) {
        const auto first = static_cast<std::uint32_t>(*index);
        auto init = read_symbols(table, first, *name, budget);
        if (init && init.value().size() > 1) {
            add_base(init.value(), table, base, first);
            result.add({table_of(std::move(init.value()))});
        }
    }
    return result;
}

} // namespace kmdump
