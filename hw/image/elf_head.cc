// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/elf_head.h"

#include "hw/image/append.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace kmd
{

static_assert(std::endian::native == std::endian::little, "ELF structures are written as they are");

namespace
{

constexpr std::uint64_t kBodyAlignment = 4096;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

Elf64_Ehdr elf_header(const HeadLayout& layout, const Machine& machine)
{
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    // lldb refuses a core without it as one of an unknown OS.
    header.e_ident[EI_OSABI] = ELFOSABI_LINUX;
    header.e_type = ET_CORE;
    header.e_machine = machine.elf_machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_flags = kElfIncomplete;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(std::min<std::uint64_t>(layout.program_headers, PN_XNUM));
    if (layout.extended) {
        header.e_shoff = layout.section_offset;
        header.e_shentsize = sizeof(Elf64_Shdr);
        header.e_shnum = 1;
    }
    return header;
}

/// The section header that holds the number of program headers if it does not fit e_phnum.
Elf64_Shdr extended_numbering(std::uint64_t program_headers)
{
    Elf64_Shdr header{};
    header.sh_info = static_cast<Elf64_Word>(program_headers);
    return header;
}

Elf64_Phdr note_header(std::uint64_t offset, std::uint64_t size)
{
    Elf64_Phdr header{};
    header.p_type = PT_NOTE;
    header.p_offset = offset;
    header.p_filesz = size;
    header.p_memsz = size;
    return header;
}

/// p_align stays 0: crash mistakes a core with an alignment for another kind of dump.
Elf64_Phdr load_header(const Segment& segment)
{
    Elf64_Phdr header{};
    header.p_type = PT_LOAD;
    header.p_flags = PF_R | PF_W | PF_X;
    header.p_offset = segment.file_offset;
    header.p_vaddr = segment.virt;
    header.p_paddr = segment.phys;
    header.p_filesz = segment.size;
    header.p_memsz = segment.size;
    return header;
}

} // namespace

HeadLayout layout_head(std::size_t segments, std::size_t notes_size)
{
    HeadLayout layout;
    layout.program_headers = segments + 1;
    layout.extended = layout.program_headers >= PN_XNUM;
    layout.section_offset = sizeof(Elf64_Ehdr) + layout.program_headers * sizeof(Elf64_Phdr);
    layout.notes_offset = layout.section_offset + (layout.extended ? sizeof(Elf64_Shdr) : 0);
    layout.notes_size = notes_size;
    layout.body_offset = align_up(layout.notes_offset + notes_size, kBodyAlignment);
    return layout;
}

std::vector<std::byte> serialise_head(const HeadLayout& layout, std::span<const Segment> segments,
                                      std::span<const std::byte> notes, const Machine& machine)
{
    std::vector<std::byte> head;
    head.reserve(layout.body_offset);
    append(head, elf_header(layout, machine));
    append(head, note_header(layout.notes_offset, layout.notes_size));
    for (const Segment& segment : segments) {
        append(head, load_header(segment));
    }
    if (layout.extended) {
        append(head, extended_numbering(layout.program_headers));
    }
    head.insert(head.end(), notes.begin(), notes.end());
    head.resize(layout.body_offset);
    return head;
}

} // namespace kmd
