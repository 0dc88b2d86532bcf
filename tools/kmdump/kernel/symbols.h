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

/// An address inside a symbol. The names are not escaped, and valid as long as the table is.
struct Place {
    std::string_view name;
    std::uint64_t offset = 0; ///< bytes from the symbol's start
    std::uint64_t size = 0;   ///< bytes from its start to the next symbol
    std::string_view module;  ///< empty for the kernel itself
};

/// Symbols of code apart from the kernel's text: a module's, or the kernel's init functions. Covers the
/// addresses from `begin` up to, not including, `end`.
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

    /// Of several symbols at one address, find() returns the first.
    explicit Symbols(std::vector<Symbol> symbols);

    /// Adds tables. Where two overlap, the one that starts later wins.
    void add(std::vector<SymbolTable> tables);

    /// Nothing below the first symbol of the kernel or from the last one on, which only marks the end.
    /// Nothing as well if the next symbol is a gibibyte away or more, as that behind the offsets of per-CPU
    /// variables. The last symbol of an added table extends to the end of the table.
    std::optional<Place> find(std::uint64_t address) const;

    /// The caller of a return address. After a call that never returns the address itself can be past the
    /// end of the caller.
    std::optional<Place> find_caller(std::uint64_t return_address) const;

    /// Whether a function that calls another can have this return address: it is in code but not where a
    /// function starts, whose address is a pointer to the function. Code is that of added tables, and of the
    /// kernel if the symbols say where its text is.
    bool is_return_address(std::uint64_t address) const;

    /// The lowest address of a kernel symbol with that name.
    std::optional<std::uint64_t> address_of(std::string_view name) const;

    /// Number of symbols, without those of added tables.
    std::size_t count() const { return symbols_.size(); }

    /// The added table that covers the address; null if none does.
    const SymbolTable* table_of(std::uint64_t address) const;

  private:
    std::vector<Symbol> symbols_;     // ascending
    std::vector<SymbolTable> tables_; // ascending, and so are the symbols of each
    std::uint64_t text_ = 0;
    std::uint64_t end_of_text_ = 0;
};

/// Like the kernel: "panic+0x10/0x3a0" or "start+0x10/0x20 [module]". The names are not escaped.
std::string format_place(const Place& place);

} // namespace kmdump
