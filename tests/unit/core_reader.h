// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads ELF core images the way a debugger does, knowing nothing of how they are composed.
#pragma once

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace kmd::test
{

struct Note {
    std::string name;
    std::uint32_t type = 0;
    std::string text;
};

class CoreReader
{
  public:
    /// `file` may end behind the notes when nobody asks for memory.
    explicit CoreReader(std::vector<std::byte> file) : file_(std::move(file))
    {
        header = at<Elf64_Ehdr>(0);
        std::uint64_t count = header.e_phnum;
        if (header.e_phnum == 0xffff) {
            count = at<Elf64_Shdr>(header.e_shoff).sh_info;
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto program_header = at<Elf64_Phdr>(header.e_phoff + i * header.e_phentsize);
            types.push_back(program_header.p_type);
            (program_header.p_type == 1 ? loads : others).push_back(program_header);
        }
    }

    /// Of the first PT_NOTE.
    std::vector<Note> notes() const
    {
        std::vector<Note> found;
        std::uint64_t at_byte = others.at(0).p_offset;
        const std::uint64_t end = at_byte + others.at(0).p_filesz;
        while (at_byte < end) {
            const auto note = at<Elf64_Nhdr>(at_byte);
            at_byte += sizeof(note);
            std::string name = text(at_byte, note.n_namesz);
            at_byte += (note.n_namesz + 3) / 4 * 4;
            found.push_back({std::move(name), note.n_type, text(at_byte, note.n_descsz)});
            at_byte += (note.n_descsz + 3) / 4 * 4;
        }
        return found;
    }

    std::optional<std::vector<std::byte>> read_phys(std::uint64_t address, std::uint64_t size) const
    {
        return read(&Elf64_Phdr::p_paddr, address, size);
    }
    std::optional<std::vector<std::byte>> read_virt(std::uint64_t address, std::uint64_t size) const
    {
        return read(&Elf64_Phdr::p_vaddr, address, size);
    }

    Elf64_Ehdr header{};
    std::vector<std::uint32_t> types;
    std::vector<Elf64_Phdr> loads;
    std::vector<Elf64_Phdr> others;

  private:
    template <class T> T at(std::uint64_t offset) const
    {
        T object;
        if (offset > file_.size() || sizeof(T) > file_.size() - offset) {
            throw std::out_of_range("past the end of the core image");
        }
        std::memcpy(&object, file_.data() + offset, sizeof(T));
        return object;
    }

    std::string text(std::uint64_t offset, std::uint64_t size) const
    {
        if (offset > file_.size() || size > file_.size() - offset) {
            throw std::out_of_range("past the end of the core image");
        }
        return {reinterpret_cast<const char*>(file_.data()) + offset, size};
    }

    /// The bytes when one segment holds all of them.
    std::optional<std::vector<std::byte>> read(Elf64_Addr Elf64_Phdr::*start, std::uint64_t address,
                                               std::uint64_t size) const
    {
        for (const Elf64_Phdr& load : loads) {
            const std::uint64_t into = address - load.*start;
            if (address >= load.*start && into <= load.p_filesz && size <= load.p_filesz - into) {
                const std::uint64_t offset = load.p_offset + into;
                if (offset > file_.size() || size > file_.size() - offset) {
                    return std::nullopt;
                }
                const auto begin = file_.begin() + static_cast<std::ptrdiff_t>(offset);
                return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(size));
            }
        }
        return std::nullopt;
    }

    std::vector<std::byte> file_;
};

} // namespace kmd::test
