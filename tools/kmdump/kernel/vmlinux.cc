// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/vmlinux.h"

#include "kmdump/kernel/vmlinux_file.h"

#include <gelf.h>

#include <cstddef>
#include <set>
#include <utility>

namespace kmdump
{

namespace
{

/// Whether a symbol names code or data. Names in "$" are mapping symbols of the Arm ABI.
bool names_an_address(const GElf_Sym& symbol, const char* name)
{
    const int type = GELF_ST_TYPE(symbol.st_info);
    return name != nullptr && name[0] != '\0' && name[0] != '$' && symbol.st_shndx != SHN_UNDEF &&
           symbol.st_shndx != SHN_ABS && type != STT_SECTION && type != STT_FILE;
}

/// The numbers of sections.
struct Sections {
    std::set<std::size_t> code;
    /// That of per-CPU variables on x86_64 before Linux 6.15: their addresses are offsets in each CPU's area,
    /// and stay as they are wherever the kernel is.
    std::set<std::size_t> at_zero;
};

Sections find_sections(Elf* elf)
{
    Sections found;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header{};
        if (gelf_getshdr(section, &header) == nullptr || (header.sh_flags & SHF_ALLOC) == 0) {
            continue;
        }
        if ((header.sh_flags & SHF_EXECINSTR) != 0) {
            found.code.insert(elf_ndxscn(section));
        }
        if (header.sh_addr == 0) {
            found.at_zero.insert(elf_ndxscn(section));
        }
    }
    return found;
}

} // namespace

kmd::Result<Symbols> read_vmlinux(const std::string& path, const kmd::Vmcoreinfo& vmcoreinfo)
{
    const auto file = open_vmlinux(path, vmcoreinfo);
    if (!file) {
        return file.error();
    }
    Elf* const elf = file.value().elf.get();
    const std::uint64_t kaslr_offset = vmcoreinfo.symbol("KERNELOFFSET").value_or(0);
    const Sections sections = find_sections(elf);
    bool names_code = false;
    std::vector<Symbol> symbols;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header{};
        if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB) {
            continue;
        }
        Elf_Data* const data = elf_getdata(section, nullptr);
        GElf_Sym symbol{};
        for (int i = 0; data != nullptr && gelf_getsym(data, i, &symbol) != nullptr; ++i) {
            const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (names_an_address(symbol, name)) {
                const bool moves = !sections.at_zero.contains(symbol.st_shndx);
                symbols.push_back({symbol.st_value + (moves ? kaslr_offset : 0), name});
                names_code = names_code || sections.code.contains(symbol.st_shndx);
            }
        }
    }
    return names_code ? Symbols(std::move(symbols)) : Symbols();
}

} // namespace kmdump
