// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf_core.h"

#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace support
{

namespace
{

std::vector<std::byte> read_file(const std::filesystem::path& path)
{
    std::ifstream in(path, std::ios::binary);
    std::vector<std::byte> bytes(std::filesystem::file_size(path));
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in) {
        throw std::runtime_error("cannot read " + path.string());
    }
    return bytes;
}

std::vector<Note> read_notes(Elf* elf, const GElf_Phdr& header)
{
    std::vector<Note> notes;
    Elf_Data* data =
        elf_getdata_rawchunk(elf, static_cast<off_t>(header.p_offset), header.p_filesz, ELF_T_NHDR);
    GElf_Nhdr note;
    std::size_t name = 0;
    std::size_t description = 0;
    std::size_t next = 0;
    while (data != nullptr && (next = gelf_getnote(data, next, &note, &name, &description)) > 0) {
        const auto* base = static_cast<const char*>(data->d_buf);
        const auto* bytes = reinterpret_cast<const std::byte*>(base + description);
        notes.push_back({std::string(base + name, note.n_namesz == 0 ? 0 : note.n_namesz - 1), note.n_type,
                         std::vector<std::byte>(bytes, bytes + note.n_descsz)});
    }
    return notes;
}

} // namespace

ElfCore ElfCore::read(const std::filesystem::path& path)
{
    ElfCore core;
    core.bytes = read_file(path);
    elf_version(EV_CURRENT);
    const std::unique_ptr<Elf, int (*)(Elf*)> elf(
        elf_memory(reinterpret_cast<char*>(core.bytes.data()), core.bytes.size()), elf_end);
    GElf_Ehdr header;
    std::size_t count = 0;
    if (!elf || gelf_getehdr(elf.get(), &header) == nullptr || elf_getphdrnum(elf.get(), &count) != 0) {
        throw std::runtime_error(path.string() + " is not ELF: " + elf_errmsg(-1));
    }
    core.type = header.e_type;
    core.machine = header.e_machine;
    core.flags = header.e_flags;
    core.program_headers_offset = header.e_phoff;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr program;
        if (gelf_getphdr(elf.get(), static_cast<int>(i), &program) == nullptr) {
            throw std::runtime_error(path.string() + ": bad program header " + std::to_string(i));
        }
        core.header_types.push_back(program.p_type);
        if (program.p_type == PT_LOAD) {
            core.segments.push_back({program.p_offset, program.p_vaddr, program.p_paddr, program.p_filesz,
                                     program.p_memsz, program.p_align});
        } else if (program.p_type == PT_NOTE) {
            core.notes = read_notes(elf.get(), program);
        }
    }
    return core;
}

std::vector<std::byte> ElfCore::physical(std::uint64_t address, std::uint64_t size) const
{
    for (const auto& segment : segments) {
        if (address >= segment.phys && address - segment.phys <= segment.file_size &&
            size <= segment.file_size - (address - segment.phys)) {
            const auto begin =
                bytes.begin() + static_cast<std::ptrdiff_t>(segment.offset + address - segment.phys);
            return {begin, begin + static_cast<std::ptrdiff_t>(size)};
        }
    }
    return {};
}

} // namespace support
