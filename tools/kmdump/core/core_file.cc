// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/core_file.h"

#include "common/little_endian.h"
#include "kmdump/core/compressed_file.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

using kmd::Error;
using kmd::Result;

/// DUMP_ELF_INCOMPLETE of makedumpfile, a bit of e_flags.
constexpr std::uint64_t kElfIncomplete = 1;

/// Twice the number that the largest region table and list can lead to.
constexpr std::uint64_t kMostProgramHeaders = 262144;

/// Of all PT_NOTE segments together.
constexpr std::uint64_t kMostNoteBytes = 64 << 20;
constexpr std::size_t kMostCpus = 4096;
/// Bytes. The kernel's vmcoreinfo has 4 KiB.
constexpr std::size_t kMostVmcoreinfo = 1 << 20;

/// Whether the file holds `size` bytes at `offset`.
bool holds(const File& file, std::uint64_t offset, std::uint64_t size)
{
    return offset <= file.size() && size <= file.size() - offset;
}

Error truncated(std::string_view what)
{
    return {"the file is truncated: expected " + std::string(what)};
}

/// Names a non-ELF file's format by its magic.
std::string_view name_format(const File& file)
{
    struct Magic {
        std::string_view bytes;
        std::string_view format;
    };
    static constexpr Magic known[] = {
        {"KDUMP   ", "a kdump-compressed dump, which crash and drgn read"},
        {"DISKDUMP", "a kdump-compressed dump, which crash and drgn read"},
        {"makedumpfile", "a flattened kdump-compressed dump, which makedumpfile -R converts"},
        {"\x1f\x8b", "a file compressed with gzip"},
        {{"\xfd\x37\x7a\x58\x5a\0", 6}, "a file compressed with xz"},
        {"\x04\x22\x4d\x18", "a file compressed with lz4"},
    };
    for (const Magic& magic : known) {
        std::string bytes(magic.bytes.size(), '\0');
        if (file.read(0, std::as_writable_bytes(std::span(bytes))) && bytes == magic.bytes) {
            return magic.format;
        }
    }
    return file.size() == 0 ? "an empty file" : "something else";
}

/// Nothing if the file ends before the structure does.
template <class T> std::optional<T> read_structure(const File& file, std::uint64_t offset)
{
    T structure{};
    if (!file.read(offset, std::as_writable_bytes(std::span(&structure, 1)))) {
        return std::nullopt;
    }
    return structure;
}

Result<Elf64_Ehdr> read_header(const File& file)
{
    const auto ident = read_structure<std::array<unsigned char, EI_NIDENT>>(file, 0);
    if (!ident || !std::equal(ident->begin(), ident->begin() + SELFMAG, ELFMAG)) {
        return Error{"expected an ELF core image, found " + std::string(name_format(file))};
    }
    if ((*ident)[EI_CLASS] == ELFCLASS32) {
        return Error{"expected a 64-bit core image, found a 32-bit ELF file"};
    }
    if ((*ident)[EI_DATA] == ELFDATA2MSB) {
        return Error{"expected a little-endian core image, found a big-endian ELF file"};
    }
    if ((*ident)[EI_CLASS] != ELFCLASS64 || (*ident)[EI_DATA] != ELFDATA2LSB) {
        return Error{"expected an ELF core image, found an ELF file of unknown class"};
    }
    const auto header = read_structure<Elf64_Ehdr>(file, 0);
    if (!header) {
        return truncated("a whole ELF header");
    }
    if (header->e_type != ET_CORE) {
        return Error{"expected an ELF core image, found an ELF file of type " +
                     std::to_string(header->e_type)};
    }
    return *header;
}

/// The number of program headers. An error if the file does not hold all of them.
Result<std::size_t> count_program_headers(const File& file, const Elf64_Ehdr& header)
{
    std::uint64_t count = header.e_phnum;
    if (count == PN_XNUM) {
        const auto first = read_structure<Elf64_Shdr>(file, header.e_shoff);
        if (!first || header.e_shoff == 0) {
            return truncated("section header 0, which counts the program headers");
        }
        count = first->sh_info;
    }
    if (count > kMostProgramHeaders) {
        return Error{"expected at most " + std::to_string(kMostProgramHeaders) + " program headers, found " +
                     std::to_string(count)};
    }
    if (count > 0 && header.e_phentsize != sizeof(Elf64_Phdr)) {
        return Error{"expected program headers of " + std::to_string(sizeof(Elf64_Phdr)) + " bytes, found " +
                     std::to_string(header.e_phentsize)};
    }
    if (!holds(file, header.e_phoff, count * sizeof(Elf64_Phdr))) {
        return truncated(std::to_string(count) + " program headers");
    }
    return count;
}

/// Of several notes with one name the first counts.
std::optional<Error> read_text(std::string_view name, std::span<const std::byte> content, std::string& out)
{
    if (content.size() > kMostVmcoreinfo) {
        return Error{"expected at most 1 MiB of " + std::string(name) + ", found more"};
    }
    if (out.empty()) {
        const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
        out = text.substr(0, text.find('\0'));
    }
    return std::nullopt;
}

std::optional<Error> read_note(std::string_view name, std::uint32_t type, std::span<const std::byte> content,
                               CoreSummary& summary)
{
    if (name == "CORE" && type == NT_PRSTATUS) {
        if (summary.prstatus.size() == kMostCpus) {
            return Error{"expected at most " + std::to_string(kMostCpus) + " CPUs, found more"};
        }
        summary.prstatus.emplace_back(content.begin(), content.end());
    } else if (name == "VMCOREINFO") {
        return read_text(name, content, summary.vmcoreinfo);
    } else if (name == "KMD_LAYOUT") {
        return read_text(name, content, summary.layout);
    }
    return std::nullopt;
}

/// Reads the notes of a PT_NOTE segment that the file holds completely.
std::optional<Error> read_notes(const File& file, const Elf64_Phdr& header, CoreSummary& summary,
                                CoreLayout& layout)
{
    std::vector<std::byte> bytes(header.p_filesz);
    if (!file.read(header.p_offset, bytes)) {
        return Error{"expected to read the notes, could not"};
    }
    const std::uint64_t unit = header.p_align == 8 ? 8 : 4;
    const auto padded = [unit](std::uint64_t size) { return (size + unit - 1) / unit * unit; };
    std::uint64_t position = 0;
    while (bytes.size() - position >= sizeof(Elf64_Nhdr)) {
        const auto name_size = kmd::load<std::uint32_t>(bytes, position);
        const auto content_size = kmd::load<std::uint32_t>(bytes, position + 4);
        const auto type = kmd::load<std::uint32_t>(bytes, position + 8);
        const std::uint64_t name_at = position + sizeof(Elf64_Nhdr);
        const std::uint64_t content_at = padded(name_at + name_size);
        if (content_at + content_size > bytes.size()) {
            break;
        }
        std::string_view name(reinterpret_cast<const char*>(bytes.data()) + name_at, name_size);
        name = name.substr(0, name.find('\0'));
        const auto content = std::span<const std::byte>(bytes).subspan(content_at, content_size);
        if (auto error = read_note(name, type, content, summary)) {
            return error;
        }
        ++layout.notes;
        position = std::min<std::uint64_t>(padded(content_at + content_size), bytes.size());
    }
    layout.stray_note_bytes += bytes.size() - position;
    return std::nullopt;
}

/// Whether both address ranges of a segment end inside the 64-bit space.
bool fits_address_space(const Elf64_Phdr& header)
{
    const std::uint64_t last = header.p_filesz - 1;
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    return last <= top - header.p_vaddr && last <= top - header.p_paddr;
}

Error truncated_segment(std::size_t index)
{
    return truncated("the bytes of program header " + std::to_string(index));
}

/// Adds the PT_NOTE program header number `index`. `note_bytes` counts the bytes of all of them.
std::optional<Error> add_notes(const File& file, std::size_t index, const Elf64_Phdr& header,
                               std::uint64_t& note_bytes, CoreSummary& summary, CoreLayout& layout)
{
    if (!holds(file, header.p_offset, header.p_filesz)) {
        return truncated_segment(index);
    }
    note_bytes += std::min(header.p_filesz, kMostNoteBytes + 1);
    if (note_bytes > kMostNoteBytes) {
        return Error{"expected at most 64 MiB of notes, found more"};
    }
    layout.note_extents.push_back({0, header.p_filesz, header.p_offset});
    layout.note_first = layout.note_first || index == 0;
    ++layout.note_segments;
    return read_notes(file, header, summary, layout);
}

/// Adds the PT_LOAD program header number `index`. A file marked incomplete may lack the end of it.
std::optional<Error> add_segment(const File& file, std::size_t index, Elf64_Phdr header, CoreSummary& summary,
                                 std::vector<Segment>& segments)
{
    std::uint64_t lost = 0;
    if (!holds(file, header.p_offset, header.p_filesz)) {
        if (summary.complete) {
            return truncated_segment(index);
        }
        lost = header.p_filesz;
        header.p_filesz = file.size() - std::min(file.size(), header.p_offset);
        lost -= header.p_filesz;
    }
    if (header.p_filesz > 0 && !fits_address_space(header)) {
        return Error{"expected addresses of 64 bits, found that program header " + std::to_string(index) +
                     " passes their end"};
    }
    ++summary.segments;
    summary.memory_bytes += header.p_filesz;
    segments.push_back({header.p_vaddr, header.p_paddr, header.p_offset, header.p_filesz, lost,
                        header.p_memsz, header.p_align});
    return std::nullopt;
}

AddressMap map_segments(const std::vector<Segment>& segments, std::uint64_t Segment::*address)
{
    std::vector<Extent> extents;
    for (const Segment& segment : segments) {
        if (segment.file_size > 0) {
            extents.push_back({segment.*address, segment.file_size, segment.file_offset});
        }
    }
    return AddressMap(std::move(extents));
}

} // namespace

Result<CoreFile> CoreFile::open(const std::string& path)
{
    auto file = File::open(path);
    if (!file) {
        return file.error();
    }
    if (is_zstd(file.value())) {
        file = decompress(file.value());
        if (!file) {
            return file.error();
        }
    }
    CoreFile core(std::move(file.value()));

    const auto header = read_header(core.file_);
    if (!header) {
        return header.error();
    }
    const auto count = count_program_headers(core.file_, header.value());
    if (!count) {
        return count.error();
    }
    std::vector<Elf64_Phdr> headers(count.value());
    if (!core.file_.read(header.value().e_phoff, std::as_writable_bytes(std::span(headers)))) {
        return truncated("the program headers");
    }
    core.layout_.program_headers_at = header.value().e_phoff;
    core.layout_.program_headers_end = header.value().e_phoff + count.value() * sizeof(Elf64_Phdr);
    core.summary_.machine = header.value().e_machine;
    core.summary_.complete = (header.value().e_flags & kElfIncomplete) == 0;

    std::uint64_t note_bytes = 0;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        std::optional<Error> error;
        if (headers[i].p_type == PT_NOTE) {
            error = add_notes(core.file_, i, headers[i], note_bytes, core.summary_, core.layout_);
        } else if (headers[i].p_type == PT_LOAD) {
            error = add_segment(core.file_, i, headers[i], core.summary_, core.segments_);
        }
        if (error) {
            return *error;
        }
    }
    core.by_virtual_ = map_segments(core.segments_, &Segment::virt);
    core.by_physical_ = map_segments(core.segments_, &Segment::phys);
    return core;
}

bool CoreFile::read_virtual(std::uint64_t address, std::span<std::byte> out) const
{
    return read(by_virtual_, address, out);
}

bool CoreFile::read_physical(std::uint64_t address, std::span<std::byte> out) const
{
    return read(by_physical_, address, out);
}

std::size_t CoreFile::read_some_virtual(std::uint64_t address, std::span<std::byte> out) const
{
    return read_some(by_virtual_, address, out);
}

std::size_t CoreFile::read_some_physical(std::uint64_t address, std::span<std::byte> out) const
{
    return read_some(by_physical_, address, out);
}

std::uint64_t CoreFile::hole_at_physical(std::uint64_t address) const
{
    const auto extent = by_physical_.find(address);
    return extent ? std::min(extent->size, file_.hole_at(extent->file_offset)) : 0;
}

std::size_t CoreFile::read_some(const AddressMap& map, std::uint64_t address, std::span<std::byte> out) const
{
    const auto extent = map.find(address);
    const std::size_t size = extent ? std::min<std::uint64_t>(extent->size, out.size()) : 0;
    return size > 0 && file_.read(extent->file_offset, out.first(size)) ? size : 0;
}

bool CoreFile::read(const AddressMap& map, std::uint64_t address, std::span<std::byte> out) const
{
    if (!out.empty() && out.size() - 1 > std::numeric_limits<std::uint64_t>::max() - address) {
        return false;
    }
    while (!out.empty()) {
        const auto extent = map.find(address);
        if (!extent) {
            return false;
        }
        const auto size = std::min<std::uint64_t>(extent->size, out.size());
        if (!file_.read(extent->file_offset, out.first(size))) {
            return false;
        }
        out = out.subspan(size);
        address += size;
    }
    return true;
}

} // namespace kmdump
