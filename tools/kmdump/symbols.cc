// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols.h"

#include "escape.h"
#include "text.h"

#include <algorithm>
#include <utility>

namespace kmdump
{

Symbols::Symbols(std::vector<Symbol> symbols) : symbols_(std::move(symbols))
{
    std::stable_sort(symbols_.begin(), symbols_.end(),
                     [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

std::optional<Place> Symbols::find(std::uint64_t address) const
{
    const auto next =
        std::upper_bound(symbols_.begin(), symbols_.end(), address,
                         [](std::uint64_t wanted, const Symbol& symbol) { return wanted < symbol.address; });
    if (next == symbols_.begin() || next == symbols_.end()) {
        return std::nullopt;
    }
    const auto first =
        std::lower_bound(symbols_.begin(), next, std::prev(next)->address,
                         [](const Symbol& symbol, std::uint64_t wanted) { return symbol.address < wanted; });
    return Place{first->name, address - first->address, next->address - first->address};
}

std::optional<Place> Symbols::find_caller(std::uint64_t return_address) const
{
    auto place = find(return_address - 1);
    if (place) {
        ++place->offset;
    }
    return place;
}

std::optional<std::uint64_t> Symbols::address_of(std::string_view name) const
{
    const auto found = std::find_if(symbols_.begin(), symbols_.end(),
                                    [&](const Symbol& symbol) { return symbol.name == name; });
    return found == symbols_.end() ? std::nullopt : std::optional(found->address);
}

std::string format_place(const Place& place)
{
    return escape(place.name) + "+" + kmd::hex(place.offset) + "/" + kmd::hex(place.size);
}

} // namespace kmdump
