// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/collect.h"

#include <elf.h>

#include <algorithm>
#include <optional>

namespace kmd
{

namespace
{

/// More than any module has; a corrupt module can claim more.
constexpr std::uint64_t kMostAttributes = 1024;
constexpr std::uint64_t kMostSymbols = 65536;
constexpr std::uint64_t kMostOfStrings = 2 << 20;
/// The notes are a build ID and how the module was linked.
constexpr std::uint64_t kMostOfANote = 4096;
/// Length of the name of a section, and of a symbol.
constexpr std::uint64_t kNameBytes = 64;
constexpr std::uint64_t kSymbolNameBytes = 512;
/// struct kernel_symbol with relative references: the offsets of value, name and namespace. The type is no
/// part of every BTF.
constexpr std::uint64_t kExportBytes = 12;
constexpr std::uint64_t kExportName = 4;

/// Memory of a module.
struct Range {
    std::uint64_t base = 0;
    std::uint64_t size = 0;
};

class ModuleCollector
{
  public:
    explicit ModuleCollector(const KernelWalk& walk) : walk_(walk) {}

    bool collect()
    {
        const std::uint64_t head = walk_.kernel.address("modules");
        const auto list = walk_.kernel.offset("module", "list");
        return head == 0 || !list ||
               walk_.for_each(head, *list, [&](std::uint64_t module) { add_module(module); });
    }

  private:
    void add_module(std::uint64_t module)
    {
        walk_.add(module, "module");
        const Range data = memory_of(module, "MOD_DATA", "core_layout");
        walk_.pages.add(data.base, data.size);
        add_exports(walk_.pointer(module, "module", "syms"), number(module, "num_syms"));
        add_exports(walk_.pointer(module, "module", "gpl_syms"), number(module, "num_gpl_syms"));
        add_symbols(module);
        add_group(walk_.pointer(module, "module", "sect_attrs"), false);
        add_notes(walk_.pointer(module, "module", "notes_attrs"));
    }

    std::uint64_t number(std::uint64_t module, std::string_view member) const
    {
        const auto offset = walk_.kernel.offset("module", member);
        return offset ? walk_.memory.read_u32(module + *offset).value_or(0) : 0;
    }

    Range memory_of(std::uint64_t module, std::string_view type, std::string_view layout) const
    {
        const auto at = walk_.kernel.module_memory(type, layout);
        return at ? Range{walk_.memory.pointer(module + at->base),
                          walk_.memory.read_u32(module + at->size).value_or(0)}
                  : Range{};
    }

    void add_exports(std::uint64_t symbols, std::uint64_t count)
    {
        for (std::uint64_t i = 0; symbols != 0 && i < std::min(count, kMostSymbols); ++i) {
            const std::uint64_t at = symbols + kExportBytes * i;
            const auto offset = walk_.memory.read_u32(at + kExportName);
            if (!offset) {
                return;
            }
            walk_.pages.add(at, kExportBytes);
            const std::int64_t name = static_cast<std::int32_t>(*offset);
            walk_.pages.add(at + kExportName + static_cast<std::uint64_t>(name), kSymbolNameBytes);
        }
    }

    /// A loaded module has its symbol table in its data. While it is being initialised, it uses the table of
    /// its file, which is freed with its init memory.
    void add_symbols(std::uint64_t module)
    {
        const std::uint64_t table = walk_.pointer(module, "module", "kallsyms");
        const auto count_at = walk_.kernel.offset("mod_kallsyms", "num_symtab");
        if (table == 0 || !count_at) {
            return;
        }
        const std::uint64_t count =
            std::min<std::uint64_t>(walk_.memory.read_u32(table + *count_at).value_or(0), kMostSymbols);
        walk_.add(table, "mod_kallsyms");
        walk_.pages.add(walk_.pointer(table, "mod_kallsyms", "symtab"), count * sizeof(Elf64_Sym));
        walk_.pages.add(walk_.pointer(table, "mod_kallsyms", "typetab"), count);
        const std::uint64_t strings = walk_.pointer(table, "mod_kallsyms", "strtab");
        const Range init = memory_of(module, "MOD_INIT_DATA", "init_layout");
        if (strings >= init.base && strings - init.base < init.size) {
            walk_.pages.add(strings, std::min(init.base + init.size - strings, kMostOfStrings));
        }
    }

    void add_attribute(std::uint64_t attribute, bool is_note)
    {
        // Before Linux 6.14 the address of a section follows its attribute.
        walk_.pages.add(attribute, walk_.kernel.size_of("bin_attribute").value_or(0) + sizeof(std::uint64_t));
        const auto attr = walk_.kernel.offset("bin_attribute", "attr");
        const auto name = walk_.kernel.offset("attribute", "name");
        if (attr && name) {
            walk_.pages.add(walk_.memory.pointer(attribute + *attr + *name), kNameBytes);
        }
        const auto size = walk_.kernel.offset("bin_attribute", "size");
        if (is_note && size) {
            walk_.pages.add(walk_.pointer(attribute, "bin_attribute", "private"),
                            std::min(walk_.memory.read_u64(attribute + *size).value_or(0), kMostOfANote));
        }
    }

    void add_group(std::uint64_t group, bool of_notes)
    {
        const std::uint64_t list = walk_.pointer(group, "attribute_group", "bin_attrs");
        if (group == 0) {
            return;
        }
        // Before Linux 6.14 the number of attributes follows the group.
        walk_.pages.add(group, walk_.kernel.size_of("attribute_group").value_or(0) + sizeof(std::uint32_t));
        for (std::uint64_t i = 0; list != 0 && i < kMostAttributes; ++i) {
            const std::uint64_t attribute = walk_.memory.pointer(list + 8 * i);
            walk_.pages.add(list + 8 * i, 8);
            if (attribute == 0) {
                return;
            }
            add_attribute(attribute, of_notes);
        }
    }

    /// Since Linux 6.14 the notes are a group, followed by the first attribute. Before, they were an array
    /// behind a pointer and a count.
    void add_notes(std::uint64_t notes)
    {
        const auto group_size = walk_.kernel.size_of("attribute_group");
        const auto attribute_size = walk_.kernel.size_of("bin_attribute");
        if (notes == 0 || !group_size || !attribute_size) {
            return;
        }
        const std::uint64_t list = walk_.pointer(notes, "attribute_group", "bin_attrs");
        if (list != 0 && walk_.memory.pointer(list) == notes + *group_size) {
            add_group(notes, true);
            return;
        }
        constexpr std::uint64_t kArray = 16;
        const std::uint64_t count =
            std::min<std::uint64_t>(walk_.memory.read_u32(notes + 8).value_or(0), kMostAttributes);
        walk_.pages.add(notes, kArray);
        for (std::uint64_t i = 0; i < count && !walk_.memory.budget_is_used_up(); ++i) {
            add_attribute(notes + kArray + *attribute_size * i, true);
        }
    }

    const KernelWalk& walk_;
};

} // namespace

bool collect_modules(const KernelWalk& walk)
{
    return ModuleCollector(walk).collect();
}

} // namespace kmd
