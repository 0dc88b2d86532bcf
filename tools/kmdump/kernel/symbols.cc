// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/symbols.h"

#include "common/text.h"

#include <algorithm>
#include <utility>

namespace kmdump
{

namespace
{

/// No function or variable is that large. Bytes.
constexpr std::uint64_t kLargestGap = 1 << 30;

void sort_by_address(std::vector<Symbol>& symbols)
{
    std::stable_sort(symbols.begin(), symbols.end(),
                     [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

/// The last symbol extends to `end`; without an end it names nothing.
std::optional<Place> find_in(const std::vector<Symbol>& symbols, std::uint64_t address,
                             std::optional<std::uint64_t> end)
{
    const auto next =
        std::upper_bound(symbols.begin(), symbols.end(), address,
                         [](std::uint64_t wanted, const Symbol& symbol) { return wanted < symbol.address; });
    if (next == symbols.begin() || (next == symbols.end() && !end)) {
        return std::nullopt;
    }
    const auto first =
        std::lower_bound(symbols.begin(), next, std::prev(next)->address,
                         [](const Symbol& symbol, std::uint64_t wanted) { return symbol.address < wanted; });
    const std::uint64_t size = (next == symbols.end() ? *end : next->address) - first->address;
    if (size >= kLargestGap) {
        return std::nullopt;
    }
    return Place{first->name, address - first->address, size, {}};
}

} // namespace

Symbols::Symbols(std::vector<Symbol> symbols) : symbols_(std::move(symbols))
{
    sort_by_address(symbols_);
    text_ = address_of("_stext").value_or(0);
    end_of_text_ = address_of("_etext").value_or(0);
}

void Symbols::add(std::vector<SymbolTable> tables)
{
    for (SymbolTable& table : tables) {
        sort_by_address(table.symbols);
        tables_.push_back(std::move(table));
    }
    std::stable_sort(tables_.begin(), tables_.end(),
                     [](const SymbolTable& a, const SymbolTable& b) { return a.begin < b.begin; });
}

const SymbolTable* Symbols::table_of(std::uint64_t address) const
{
    const auto next =
        std::upper_bound(tables_.begin(), tables_.end(), address,
                         [](std::uint64_t wanted, const SymbolTable& table) { return wanted < table.begin; });
    return next != tables_.begin() && address < std::prev(next)->end ? &*std::prev(next) : nullptr;
}

std::optional<Place> Symbols::find(std::uint64_t address) const
{
    const SymbolTable* const table = table_of(address);
    if (table == nullptr) {
        return find_in(symbols_, address, std::nullopt);
    }
    auto place = find_in(table->symbols, address, table->end);
    if (place) {
        place->module = table->module;
    }
    return place;
}

std::optional<Place> Symbols::find_caller(std::uint64_t return_address) const
{
    auto place = find(return_address - 1);
    if (place) {
        ++place->offset;
    }
    return place;
}

bool Symbols::is_return_address(std::uint64_t address) const
{
    if ((address <= text_ || address > end_of_text_) && table_of(address - 1) == nullptr) {
        return false;
    }
    const auto place = find(address);
    return place && place->offset != 0;
}

std::optional<std::uint64_t> Symbols::address_of(std::string_view name) const
{
    const auto found = std::find_if(symbols_.begin(), symbols_.end(),
                                    [&](const Symbol& symbol) { return symbol.name == name; });
    return found == symbols_.end() ? std::nullopt : std::optional(found->address);
}

std::string format_place(const Place& place)
{
    return std::string(place.name) + "+" + kmd::hex(place.offset) + "/" + kmd::hex(place.size) +
           (place.module.empty() ? "" : " [" + std::string(place.module) + "]");
}

} // namespace kmdump
