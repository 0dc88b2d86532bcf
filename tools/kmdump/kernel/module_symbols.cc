// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/module_symbols.h"

#include "common/little_endian.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

constexpr std::size_t kMostModules = 4096;
constexpr std::size_t kNameSize = 56;       // MODULE_NAME_LEN of a 64-bit kernel
constexpr std::size_t kLongestSymbol = 512; // KSYM_NAME_LEN

/// Offsets of members in bytes, unless stated otherwise.
struct Layout {
    std::uint64_t modules = 0; ///< address of the list's head
    std::uint64_t list = 0;
    std::uint64_t name = 0;
    std::uint64_t text = 0;
    std::uint64_t text_size = 0;
    std::uint64_t init_text = 0;
    std::uint64_t init_text_size = 0;
    std::uint64_t kallsyms = 0;
    std::uint64_t symtab = 0;
    std::uint64_t num_symtab = 0;
    std::uint64_t strtab = 0;
};

std::optional<Layout> parse_layout(const kmd::Vmcoreinfo& text)
{
    Layout layout;
    const auto modules = text.symbol("SYMBOL(modules)");
    if (!modules) {
        return std::nullopt;
    }
    layout.modules = *modules;
    const std::pair<const char*, std::uint64_t*> wanted[] = {
        {"OFFSET(module.list)", &layout.list},
        {"OFFSET(module.name)", &layout.name},
        {"OFFSET(module.text)", &layout.text},
        {"OFFSET(module.text_size)", &layout.text_size},
        {"OFFSET(module.init_text)", &layout.init_text},
        {"OFFSET(module.init_text_size)", &layout.init_text_size},
        {"OFFSET(module.kallsyms)", &layout.kallsyms},
        {"OFFSET(mod_kallsyms.symtab)", &layout.symtab},
        {"OFFSET(mod_kallsyms.num_symtab)", &layout.num_symtab},
        {"OFFSET(mod_kallsyms.strtab)", &layout.strtab}};
    for (const auto& [key, member] : wanted) {
        const auto value = text.number(key);
        if (!value) {
            return std::nullopt;
        }
        *member = *value;
    }
    return layout;
}

/// Reads strings. Keeps the last page, since the strings are adjacent.
class TextReader
{
  public:
    explicit TextReader(const KernelMemory& memory) : memory_(memory) {}

    /// The string up to its zero byte, the end of the dump or `longest` bytes.
    std::string read(std::uint64_t address, std::size_t longest)
    {
        std::string text;
        while (text.size() < longest) {
            const std::uint64_t start = address & ~(kPage - 1);
            if (start != start_ || page_.empty()) {
                start_ = start;
                page_.resize(kPage);
                if (!memory_.read(start, page_)) {
                    page_.clear();
                    return text;
                }
            }
            const std::string_view rest(reinterpret_cast<const char*>(page_.data()) + (address - start),
                                        kPage - (address - start));
            const auto piece = rest.substr(0, std::min(rest.find('\0'), longest - text.size()));
            text += piece;
            if (piece.size() < rest.size()) {
                return text;
            }
            address += piece.size();
        }
        return text;
    }

  private:
    static constexpr std::uint64_t kPage = 4096;

    const KernelMemory& memory_;
    std::uint64_t start_ = 0;
    std::vector<std::byte> page_;
};

class ModuleReader
{
  public:
    ModuleReader(const KernelMemory& memory, const Layout& layout)
        : memory_(memory), layout_(layout), names_(memory)
    {
    }

    ModuleSymbols read()
    {
        auto node = memory_.read_u64(layout_.modules);
        std::size_t count = 0;
        for (; node && *node != layout_.modules && count < kMostModules; ++count) {
            read_module(*node - layout_.list);
            node = memory_.read_u64(*node);
        }
        const char* cut = "";
        if (!node) {
            cut = "a link of the list of modules is not in the dump";
        } else if (*node != layout_.modules) {
            cut = "there are more than 4096, or the list leads back into itself";
        }
        return {std::move(tables_), cut};
    }

  private:
    void read_module(std::uint64_t module)
    {
        const std::string name = names_.read(module + layout_.name, kNameSize);
        SymbolTable text = empty_table(name, module + layout_.text, module + layout_.text_size);
        SymbolTable init = empty_table(name, module + layout_.init_text, module + layout_.init_text_size);
        read_symbols(memory_.read_u64(module + layout_.kallsyms).value_or(0), text, init);
        for (SymbolTable* table : {&text, &init}) {
            if (table->begin < table->end) {
                tables_.push_back(std::move(*table));
            }
        }
    }

    SymbolTable empty_table(const std::string& name, std::uint64_t base_at, std::uint64_t size_at) const
    {
        const std::uint64_t base = memory_.read_u64(base_at).value_or(0);
        const std::uint64_t size = memory_.read_u32(size_at).value_or(0);
        return base + size < base ? SymbolTable{} : SymbolTable{name, base, base + size, {}};
    }

    void read_symbols(std::uint64_t kallsyms, SymbolTable& text, SymbolTable& init)
    {
        const auto symbols = memory_.read_u64(kallsyms + layout_.symtab);
        const auto strings = memory_.read_u64(kallsyms + layout_.strtab);
        const std::uint64_t count = memory_.read_u32(kallsyms + layout_.num_symtab).value_or(0);
        std::array<std::byte, sizeof(Elf64_Sym)> bytes{};
        for (std::uint64_t i = 0; symbols && strings && i < count && symbols_left_ > 0;
             ++i, --symbols_left_) {
            if (!memory_.read(*symbols + i * bytes.size(), bytes)) {
                return;
            }
            const auto address = kmd::load<std::uint64_t>(bytes, offsetof(Elf64_Sym, st_value));
            SymbolTable* const table = contains(text, address)   ? &text
                                       : contains(init, address) ? &init
                                                                 : nullptr;
            if (table != nullptr &&
                kmd::load<std::uint16_t>(bytes, offsetof(Elf64_Sym, st_shndx)) != SHN_UNDEF) {
                add(*table, address,
                    *strings + kmd::load<std::uint32_t>(bytes, offsetof(Elf64_Sym, st_name)));
            }
        }
    }

    static bool contains(const SymbolTable& table, std::uint64_t address)
    {
        return table.begin <= address && address < table.end;
    }

    /// Skips mapping symbols of the Arm ABI ("$") and local labels of assemblers (".L").
    void add(SymbolTable& table, std::uint64_t address, std::uint64_t name_at)
    {
        std::string name = names_.read(name_at, std::min(kLongestSymbol, name_bytes_left_));
        name_bytes_left_ -= name.size();
        if (!name.empty() && !name.starts_with('$') && !name.starts_with(".L")) {
            table.symbols.push_back({address, std::move(name)});
        }
    }

    const KernelMemory& memory_;
    Layout layout_;
    TextReader names_;
    std::vector<SymbolTable> tables_;
    std::size_t symbols_left_ = 262144;
    std::size_t name_bytes_left_ = std::size_t{32} << 20;
};

} // namespace

ModuleSymbols read_module_symbols(const KernelMemory& memory, const kmd::Vmcoreinfo& text)
{
    const auto layout = parse_layout(text);
    return layout ? ModuleReader(memory, *layout).read()
                  : ModuleSymbols{{}, "the dump does not say where the list of modules and its members lie"};
}

} // namespace kmdump
