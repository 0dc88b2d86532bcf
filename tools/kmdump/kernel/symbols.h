// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names for the guest's kernel addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

struct Symbol {
    std::uint64_t address = 0;
    std::string name;
};

/// An address inside a symbol. The name is as the guest gave it, and valid as long as the table is.
struct Place {
    std::string_view name;
    std::uint64_t offset = 0; ///< bytes from the symbol's start
    std::uint64_t size = 0;   ///< bytes from there to the next symbol
    std::string_view module;  ///< empty for the kernel itself
};

/// Symbols of code that is not in one piece with the kernel: a module's, or what only runs when the kernel
/// starts. Addresses from `begin` to before `end`.
struct SymbolTable {
    std::string module; ///< empty for the kernel itself
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::vector<Symbol> symbols;
};

class Symbols
{
  public:
    Symbols() = default;

    /// Of symbols at one address the first names it.
    explicit Symbols(std::vector<Symbol> symbols);

    /// Adds tables. Where two overlap, the one that begins later has the addresses.
    void add(std::vector<SymbolTable> tables);

    /// Nothing below the first symbol, or from the last one on: it only marks an end. The last one of a
    /// further table reaches to the table's end.
    std::optional<Place> find(std::uint64_t address) const;

    /// Where a return address came from: it can lie behind its function, after a call that never returns.
    std::optional<Place> find_caller(std::uint64_t return_address) const;

    /// The lowest address with that name.
    std::optional<std::uint64_t> address_of(std::string_view name) const;

    /// Of the kernel itself, without further tables.
    std::size_t count() const { return symbols_.size(); }

    /// The further table that has an address.
    const SymbolTable* table_of(std::uint64_t address) const;

  private:
    std::vector<Symbol> symbols_;     // ascending
    std::vector<SymbolTable> tables_; // ascending, and so are the symbols of each
};

/// As the kernel writes it, "panic+0x10/0x3a0" or "start+0x10/0x20 [module]"; names are as the guest gave
/// them.
std::string format_place(const Place& place);

} // namespace kmdump
