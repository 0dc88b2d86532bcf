// SPDX-License-Identifier: GPL-2.0-or-later
//
// An ELF core image as elfutils reads it: the tests' own view of a dump, which shares no code with
// what wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace support
{

struct LoadSegment {
    std::uint64_t offset = 0;
    std::uint64_t virt = 0;
    std::uint64_t phys = 0;
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;
    std::uint64_t alignment = 0;
};

struct Note {
    std::string name;
    std::uint32_t type = 0;
    std::vector<std::byte> description;
};

struct ElfCore {
    std::vector<std::byte> bytes;
    std::uint16_t type = 0;
    std::uint16_t machine = 0;
    std::uint32_t flags = 0;
    std::uint64_t program_headers_offset = 0;
    /// Type of each program header, in file order.
    std::vector<std::uint32_t> header_types;
    std::vector<LoadSegment> segments;
    std::vector<Note> notes;

    /// Throws when elfutils does not accept the file.
    static ElfCore read(const std::filesystem::path& path);

    /// The memory at a physical address: empty when not all of it is in one segment.
    std::vector<std::byte> physical(std::uint64_t address, std::uint64_t size) const;
};

} // namespace support
