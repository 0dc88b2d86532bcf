// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_file.h"

#include "compressed_file.h"
#include "elf_handle.h"

#include <gelf.h>

#include <algorithm>
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

/// libelf keeps all notes in memory; those of 65536 CPUs fit.
constexpr std::uint64_t kMostNoteBytes = 64 << 20;

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

Result<GElf_Ehdr> read_header(Elf* elf, const File& file)
{
    if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) {
        return Error{"expected an ELF core image, found " + std::string(name_format(file))};
    }
    if (gelf_getclass(elf) == ELFCLASS32) {
        return Error{"expected a 64-bit core image, found a 32-bit ELF file"};
    }
    GElf_Ehdr header{};
    if (gelf_getehdr(elf, &header) == nullptr) {
        return truncated("a whole ELF header");
    }
    if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
        return Error{"expected a little-endian core image, found a big-endian ELF file"};
    }
    if (header.e_type != ET_CORE) {
        return Error{"expected an ELF core image, found an ELF file of type " +
                     std::to_string(header.e_type)};
    }
    return header;
}

/// The number of program headers. libelf clips it to what the file holds, so that a truncated file
/// would go unnoticed.
Result<std::size_t> count_program_headers(Elf* elf, const GElf_Ehdr& header)
{
    std::size_t present = 0;
    if (elf_getphdrnum(elf, &present) != 0) {
        return truncated("the program headers");
    }
    std::size_t announced = header.e_phnum;
    if (header.e_phnum == PN_XNUM) {
        GElf_Shdr first{};
        Elf_Scn* const section = elf_getscn(elf, 0);
        if (section == nullptr || gelf_getshdr(section, &first) == nullptr) {
            return truncated("section header 0, which counts the program headers");
        }
        announced = first.sh_info;
    }
    if (present != announced) {
        return truncated(std::to_string(announced) + " program headers");
    }
    return present;
}

void read_note(std::string_view name, const GElf_Nhdr& header, std::string_view content, CoreSummary& summary)
{
    if (name == "CORE" && header.n_type == NT_PRSTATUS) {
        const auto bytes = std::as_bytes(std::span(content));
        summary.prstatus.emplace_back(bytes.begin(), bytes.end());
    } else if (name == "VMCOREINFO" && summary.vmcoreinfo.empty()) {
        summary.vmcoreinfo = content.substr(0, content.find('\0'));
    }
}

void read_notes(Elf* elf, const GElf_Phdr& header, CoreSummary& summary, CoreLayout& layout)
{
    const auto offset = static_cast<std::int64_t>(header.p_offset);
    const auto type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    Elf_Data* const data = elf_getdata_rawchunk(elf, offset, header.p_filesz, type);
    if (data == nullptr) {
        layout.stray_note_bytes += header.p_filesz;
        return;
    }
    const std::string_view bytes(static_cast<const char*>(data->d_buf), data->d_size);
    std::size_t position = 0;
    std::size_t end = 0;
    GElf_Nhdr note{};
    std::size_t name_at = 0;
    std::size_t content_at = 0;
    while ((position = gelf_getnote(data, position, &note, &name_at, &content_at)) > 0) {
        std::string_view name = bytes.substr(name_at, note.n_namesz);
        name = name.substr(0, name.find('\0'));
        read_note(name, note, bytes.substr(content_at, note.n_descsz), summary);
        layout.notes.push_back({std::string(name), note.n_type, note.n_descsz});
        end = position;
    }
    layout.stray_note_bytes += bytes.size() - end;
}

/// Both address ranges of a segment end inside the 64-bit space.
bool fits_address_space(const GElf_Phdr& header)
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

    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(core.file_.descriptor(), ELF_C_READ, nullptr));
    const auto header = read_header(elf.get(), core.file_);
    if (!header) {
        return header.error();
    }
    const auto count = count_program_headers(elf.get(), header.value());
    if (!count) {
        return count.error();
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
        GElf_Phdr segment{};
        if (gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr) {
            return truncated("the program headers");
        }
        if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE) {
            continue;
        }
        const bool whole = holds(core.file_, segment.p_offset, segment.p_filesz);
        if (!whole && (summary.complete || segment.p_type == PT_NOTE)) {
            return truncated("the bytes of program header " + std::to_string(i));
        }
        if (segment.p_type == PT_NOTE) {
            note_bytes += segment.p_filesz;
            if (note_bytes > kMostNoteBytes) {
                return Error{"expected at most 64 MiB of notes, found more"};
            }
            layout.note_extents.push_back({0, segment.p_filesz, segment.p_offset});
            layout.note_first = layout.note_first || i == 0;
            ++layout.note_segments;
            read_notes(elf.get(), segment, summary, layout);
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
