// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_image.h"

#include "vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

namespace kmd
{

static_assert(std::endian::native == std::endian::little, "ELF structures are written as they are");

namespace
{

/// The body starts on a page of the file, so that the kernel copies whole pages.
constexpr std::uint64_t kBodyAlignment = 4096;

/// An unbroken range of guest-physical addresses and its place in the file.
struct Extent {
    std::uint64_t phys = 0;
    std::uint64_t size = 0;
    std::uint64_t file_offset = 0;
};

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

template <class T> void append(std::vector<std::byte>& out, const T& object)
{
    const auto bytes = std::as_bytes(std::span(&object, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

/// The region widened to whole pages of `page` bytes, as one segment, if that is possible: all of
/// it RAM, and the virtual address just as far into its page as the physical one.
std::optional<Segment> widen(const Region& region, std::uint64_t page, GuestMemory& memory)
{
    const std::uint64_t before = region.phys % page;
    if (region.virt % page != before) {
        return std::nullopt;
    }
    const std::uint64_t last = (region.phys + (region.size - 1)) | (page - 1);
    Segment segment{region.phys - before, region.virt - before, 0, 0};
    segment.size = last - segment.phys + 1;
    const bool whole_space = segment.size == 0;
    if (whole_space || !is_ram(memory, segment.phys, segment.size)) {
        return std::nullopt;
    }
    return segment;
}

/// Readers fetch whole pages and take what follows a short segment for its continuation.
Segment whole_pages(const Region& region, std::uint64_t guest_page, GuestMemory& memory)
{
    for (const std::uint64_t page : {guest_page, kSmallestPage}) {
        if (const auto segment = widen(region, page, memory)) {
            return *segment;
        }
    }
    return {region.phys, region.virt, region.size, 0};
}

/// Whether `next`, which does not start below `segment`, overlaps or continues it, in both spaces.
bool continues(const Segment& segment, const Segment& next)
{
    const bool same_distance = next.virt - next.phys == segment.virt - segment.phys;
    const bool no_wrap_between = next.virt >= segment.virt;
    return same_distance && no_wrap_between && next.phys - segment.phys <= segment.size;
}

/// Segments in ascending order of physical address, each as long as it can be.
std::vector<Segment> merge(std::vector<Segment> segments)
{
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.virt - a.phys, a.phys, a.size) < std::tuple(b.virt - b.phys, b.phys, b.size);
    });
    std::vector<Segment> merged;
    for (const Segment& segment : segments) {
        if (!merged.empty() && continues(merged.back(), segment)) {
            Segment& last = merged.back();
            last.size = std::max(last.size, segment.phys - last.phys + segment.size);
        } else {
            merged.push_back(segment);
        }
    }
    std::sort(merged.begin(), merged.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.phys, a.virt) < std::tuple(b.phys, b.virt);
    });
    return merged;
}

/// Gives each segment its place in the file, from `file_offset` on. Segments that show the same
/// memory at two virtual addresses share their bytes.
std::vector<Extent> place(std::vector<Segment>& segments, std::uint64_t file_offset)
{
    std::vector<Extent> extents;
    for (Segment& segment : segments) {
        if (extents.empty() || segment.phys - extents.back().phys > extents.back().size) {
            if (!extents.empty()) {
                file_offset += extents.back().size;
            }
            extents.push_back({segment.phys, segment.size, file_offset});
        }
        Extent& extent = extents.back();
        const std::uint64_t into = segment.phys - extent.phys;
        extent.size = std::max(extent.size, into + segment.size);
        segment.file_offset = extent.file_offset + into;
    }
    return extents;
}

std::vector<std::span<const std::byte>> map(std::span<const Extent> extents, GuestMemory& memory)
{
    static constexpr std::array<std::byte, kSmallestPage> zeros{};
    std::vector<std::span<const std::byte>> body;
    for (const Extent& extent : extents) {
        std::uint64_t done = 0;
        while (done < extent.size) {
            auto run = memory.map(extent.phys + done, extent.size - done);
            if (run.empty()) {
                // All of it was RAM a moment ago. Should a host break that promise, zeros keep
                // what follows at its offset.
                run = std::span(zeros).first(std::min<std::uint64_t>(zeros.size(), extent.size - done));
            }
            body.push_back(run);
            done += run.size();
        }
    }
    return body;
}

Elf64_Ehdr elf_header(const Machine& machine, std::uint64_t program_headers)
{
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = machine.elf_machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_flags = kElfIncomplete;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(std::min<std::uint64_t>(program_headers, PN_XNUM));
    return header;
}

/// The number of program headers when it does not fit e_phnum.
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

/// p_align stays 0: crash takes an aligned core for one of another kind.
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

Plan compose_core_image(const ImageParts& parts, GuestMemory& memory, const Machine& machine)
{
    Plan plan;
    std::vector<Region> good;
    for (const Region& region : parts.regions) {
        const auto status = check_range(region, memory);
        plan.statuses.push_back(status);
        if (status == KMD_SLOT_OK && region.kind != KMD_KIND_ELF_HEADER && region.kind != KMD_KIND_LIST) {
            good.push_back(region);
        }
    }

    const auto vmcoreinfo = read_vmcoreinfo(good, memory);
    std::vector<std::byte> notes(parts.cpu_notes.begin(), parts.cpu_notes.end());
    append_vmcoreinfo_note(notes, vmcoreinfo);

    if (!parts.with_regions) {
        good.clear();
    }
    plan.regions = static_cast<std::uint32_t>(good.size());
    good.insert(good.end(), parts.gathered.begin(), parts.gathered.end());
    const std::uint64_t page = guest_page_size(vmcoreinfo);
    for (const Region& region : good) {
        plan.segments.push_back(whole_pages(region, page, memory));
    }
    plan.segments = merge(std::move(plan.segments));

    const std::uint64_t headers = plan.segments.size() + 1;
    const bool extended = headers >= PN_XNUM;
    const std::uint64_t section_offset = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
    const std::uint64_t notes_offset = section_offset + (extended ? sizeof(Elf64_Shdr) : 0);
    const std::uint64_t body_offset = align_up(notes_offset + notes.size(), kBodyAlignment);
    const auto extents = place(plan.segments, body_offset);
    plan.file_size = extents.empty() ? body_offset : extents.back().file_offset + extents.back().size;
    plan.body = map(extents, memory);

    Elf64_Ehdr header = elf_header(machine, headers);
    if (extended) {
        header.e_shoff = section_offset;
        header.e_shentsize = sizeof(Elf64_Shdr);
        header.e_shnum = 1;
    }
    plan.flags_offset = offsetof(Elf64_Ehdr, e_flags);
    plan.head.reserve(body_offset);
    append(plan.head, header);
    append(plan.head, note_header(notes_offset, notes.size()));
    for (const Segment& segment : plan.segments) {
        append(plan.head, load_header(segment));
    }
    if (extended) {
        append(plan.head, extended_numbering(headers));
    }
    plan.head.insert(plan.head.end(), notes.begin(), notes.end());
    plan.head.resize(body_offset);
    return plan;
}

} // namespace kmd
