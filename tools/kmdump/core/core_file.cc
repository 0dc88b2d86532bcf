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

/// DUMP_ELF_INCOMPLETE of makedumpfile.
constexpr std::uint64_t kElfIncomplete = 1;

/// Of the largest region table and list there are half as many.
constexpr std::uint64_t kMostProgramHeaders = 262144;

/// One segment of notes is in memory at a time.
constexpr std::uint64_t kMostNoteBytes = 64 << 20;
constexpr std::size_t kMostCpus = 4096;
/// The kernel's has 4 KiB.
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

/// What a file is that is no ELF file, as far as its first bytes tell.
std::string_view name_format(const File& file)
{
    struct Magic {
        std::string_view bytes;
        std::string_view format;
    };
    static constexpr Magic known[] = {
        {"KDUMP   ", "a kdump-compressed dump, which crash and drgn read"},
        {"DISKDUMP", "a kdump-compressed dump, which crash and drgn read"},
        {"makedumpfile", "a flattened kdump-compressed dump, which makedumpfile -R makes a file of"},
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

/// A structure of the file, at most a few hundred bytes. Nothing when the file does not hold it.
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
        return Error{"expected an ELF core image, found an ELF file of no known class"};
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

/// The number of program headers, all of which the file holds.
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

std::optional<Error> read_note(std::string_view name, std::uint32_t type, std::span<const std::byte> content,
                               CoreSummary& summary)
{
    if (name == "CORE" && type == NT_PRSTATUS) {
        if (summary.prstatus.size() == kMostCpus) {
            return Error{"expected at most " + std::to_string(kMostCpus) + " CPUs, found more"};
        }
        summary.prstatus.emplace_back(content.begin(), content.end());
    } else if (name == "VMCOREINFO" && summary.vmcoreinfo.empty()) {
        if (content.size() > kMostVmcoreinfo) {
            return Error{"expected at most 1 MiB of VMCOREINFO, found more"};
        }
        const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
        summary.vmcoreinfo = text.substr(0, text.find('\0'));
    }
    return std::nullopt;
}

/// The notes of a segment that the file holds.
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

/// Both address ranges of a segment end inside the 64-bit space.
bool fits_address_space(const Elf64_Phdr& header)
{
    const std::uint64_t last = header.p_filesz - 1;
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    return last <= top - header.p_vaddr && last <= top - header.p_paddr;
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
    CoreSummary& summary = core.summary_;
    CoreLayout& layout = core.layout_;
    layout.program_headers_at = header.value().e_phoff;
    layout.program_headers_end = header.value().e_phoff + count.value() * sizeof(Elf64_Phdr);
    summary.machine = header.value().e_machine;
    summary.complete = (header.value().e_flags & kElfIncomplete) == 0;

    std::vector<Extent> by_virtual;
    std::vector<Extent> by_physical;
    std::uint64_t note_bytes = 0;
    for (std::size_t i = 0; i < count.value(); ++i) {
        Elf64_Phdr segment = headers[i];
        if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE) {
            continue;
        }
        const bool whole = holds(core.file_, segment.p_offset, segment.p_filesz);
        if (!whole && (summary.complete || segment.p_type == PT_NOTE)) {
            return truncated("the bytes of program header " + std::to_string(i));
        }
        if (segment.p_type == PT_NOTE) {
            note_bytes += std::min(segment.p_filesz, kMostNoteBytes + 1);
            if (note_bytes > kMostNoteBytes) {
                return Error{"expected at most 64 MiB of notes, found more"};
            }
            layout.note_extents.push_back({0, segment.p_filesz, segment.p_offset});
            layout.note_first = layout.note_first || i == 0;
            ++layout.note_segments;
            if (auto error = read_notes(core.file_, segment, summary, layout)) {
                return *error;
            }
            continue;
        }
        ++summary.segments;
        std::uint64_t lost = 0;
        if (!whole) {
            lost = segment.p_filesz;
            segment.p_filesz = core.file_.size() - std::min(core.file_.size(), segment.p_offset);
            lost -= segment.p_filesz;
        }
        core.segments_.push_back({segment.p_vaddr, segment.p_paddr, segment.p_offset, segment.p_filesz, lost,
                                  segment.p_memsz, segment.p_align});
        if (segment.p_filesz == 0) {
            continue;
        }
        if (!fits_address_space(segment)) {
            return Error{"expected addresses of 64 bits, found that program header " + std::to_string(i) +
                         " passes their end"};
        }
        summary.memory_bytes += segment.p_filesz;
        by_virtual.push_back({segment.p_vaddr, segment.p_filesz, segment.p_offset});
        by_physical.push_back({segment.p_paddr, segment.p_filesz, segment.p_offset});
    }
    core.by_virtual_ = AddressMap(std::move(by_virtual));
    core.by_physical_ = AddressMap(std::move(by_physical));
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
