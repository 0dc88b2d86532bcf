// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ELF header that a guest registers, as a correct kernel writes it.
#pragma once

#include "fake_guest.h"
#include "test_machine.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace kmd::test
{

/// Describes these regions of memory, whose sizes are multiples of four, behind `offset` bytes of the file.
inline std::string guest_elf_header(std::span<const GuestRegion> regions, std::uint64_t offset)
{
    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_type = ET_CORE;
    elf.e_machine = EM_AARCH64;
    elf.e_phoff = sizeof elf;
    elf.e_phentsize = sizeof(Elf64_Phdr);
    elf.e_phnum = static_cast<Elf64_Half>(1 + regions.size());
    std::string text(reinterpret_cast<const char*>(&elf), sizeof elf);
    const auto append = [&](const Elf64_Phdr& header) {
        text.append(reinterpret_cast<const char*>(&header), sizeof header);
    };
    append({PT_NOTE, 0, 0, 0, 0, 0, 0, 0});
    for (const GuestRegion& region : regions) {
        append({PT_LOAD, PF_R, offset, region.virt, region.phys, region.size, region.size, 0});
        offset += region.size;
    }
    return text;
}

} // namespace kmd::test
