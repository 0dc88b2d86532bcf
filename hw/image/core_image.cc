// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/core_image.h"

#include "common/page_size.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
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

/// What memory is worth when not all of it can be written; a smaller value is written first.
enum class Rank { kLog, kStack, kTable, kRest };

/// Memory that is worth more than the rest: a range of guest-physical addresses.
struct Claim {
    std::uint64_t phys = 0;
    std::uint64_t end = 0;
    Rank rank = Rank::kRest;
};

/// An unbroken range of guest-physical addresses and its place in the file.
struct Extent {
    std::uint64_t phys = 0;
    std::uint64_t size = 0;
    Rank rank = Rank::kRest;
    std::uint64_t file_offset = 0;

    std::uint64_t end() const { return phys + size; }
};

/// What surrounds the log is written with it up to this size, rather than cut off.
constexpr std::uint64_t kSmallExtent = std::uint64_t{1} << 20;

Rank rank_of(const Region& region)
{
    return region.vital || region.kind == KMD_KIND_VMCOREINFO ? Rank::kLog : Rank::kRest;
}

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

void sort_by_address(std::vector<Segment>& segments)
{
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.phys, a.virt) < std::tuple(b.phys, b.virt);
    });
}

/// Segments in ascending order of physical address, each as long as it can be.
std::vector<Segment> merge(std::vector<Segment> segments)
{
    std::sort(segments.begin(), segments.end(), [](const Segment& a, const Segment& b) {
        return std::tuple(a.virt - a.phys, a.phys, a.size) < std::tuple(b.virt - b.phys, b.phys, b.size);
    });
    std::size_t merged = 0;
    for (const Segment segment : segments) {
        if (merged > 0 && continues(segments[merged - 1], segment)) {
            Segment& last = segments[merged - 1];
            last.size = std::max(last.size, segment.phys - last.phys + segment.size);
        } else {
            segments[merged++] = segment;
        }
    }
    segments.resize(merged);
    sort_by_address(segments);
    return segments;
}

/// The memory of the segments, each byte once. Extents end where segments were cut.
std::vector<Extent> extents_of(std::span<const Segment> segments, std::span<const std::uint64_t> cuts = {})
{
    std::vector<Extent> extents;
    for (const Segment& segment : segments) {
        const bool continues_last =
            !extents.empty() && segment.phys - extents.back().phys <= extents.back().size;
        const bool starts_at_cut = continues_last && segment.phys != extents.back().phys &&
                                   std::binary_search(cuts.begin(), cuts.end(), segment.phys);
        if (!continues_last || starts_at_cut) {
            extents.push_back({segment.phys, segment.size});
        }
        Extent& extent = extents.back();
        extent.size = std::max(extent.size, segment.phys - extent.phys + segment.size);
    }
    return extents;
}

/// Where large extents have to be cut to tell what is worth more from the rest: addresses, ascending.
std::vector<std::uint64_t> cuts_of(std::span<const Extent> extents, std::span<const Claim> claims)
{
    std::vector<std::uint64_t> cuts;
    auto claim = claims.begin();
    for (const Extent& extent : extents) {
        std::uint64_t known_to = extent.phys;
        for (; claim != claims.end() && claim->phys < extent.end(); ++claim) {
            if (extent.size <= kSmallExtent || claim->end <= known_to) {
                continue;
            }
            if (claim->phys > known_to) {
                if (known_to > extent.phys) {
                    cuts.push_back(known_to);
                }
                cuts.push_back(claim->phys);
            }
            known_to = claim->end;
        }
        if (known_to > extent.phys && known_to < extent.end()) {
            cuts.push_back(known_to);
        }
    }
    return cuts;
}

std::vector<Segment> cut(std::vector<Segment> segments, std::span<const std::uint64_t> cuts)
{
    if (cuts.empty()) {
        return segments;
    }
    std::vector<Segment> pieces;
    for (Segment rest : segments) {
        auto at = std::upper_bound(cuts.begin(), cuts.end(), rest.phys);
        for (; at != cuts.end() && *at - rest.phys < rest.size; ++at) {
            const std::uint64_t size = *at - rest.phys;
            pieces.push_back({rest.phys, rest.virt, size, 0});
            rest = {rest.phys + size, rest.virt + size, rest.size - size, 0};
        }
        pieces.push_back(rest);
    }
    sort_by_address(pieces);
    return pieces;
}

/// Each extent is worth what the most precious byte in it is. Both in ascending order; no claim reaches
/// over the end of an extent.
void rank(std::span<Extent> extents, std::span<const Claim> claims)
{
    auto claim = claims.begin();
    for (Extent& extent : extents) {
        for (; claim != claims.end() && claim->phys < extent.end(); ++claim) {
            extent.rank = std::min(extent.rank, claim->rank);
        }
    }
}

/// Gives each extent its place in the file, from `file_offset` on. Returns their order there.
std::vector<std::uint32_t> place(std::span<Extent> extents, std::uint64_t file_offset)
{
    std::vector<std::uint32_t> order(extents.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return extents[a].rank < extents[b].rank; });
    for (const std::uint32_t i : order) {
        extents[i].file_offset = file_offset;
        file_offset += extents[i].size;
    }
    return order;
}

/// Both in ascending order. Segments that show the same memory at two virtual addresses share their bytes.
void place(std::span<Segment> segments, std::span<const Extent> extents)
{
    auto extent = extents.begin();
    for (Segment& segment : segments) {
        while (segment.phys - extent->phys >= extent->size) {
            ++extent;
        }
        segment.file_offset = extent->file_offset + (segment.phys - extent->phys);
    }
}

std::vector<std::span<const std::byte>> map(std::span<const Extent> extents,
                                            std::span<const std::uint32_t> order, GuestMemory& memory)
{
    static constexpr std::array<std::byte, kSmallestPage> zeros{};
    std::vector<std::span<const std::byte>> body;
    for (const std::uint32_t i : order) {
        const Extent& extent = extents[i];
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
    // lldb takes a core without it for one of no system, and refuses it.
    header.e_ident[EI_OSABI] = ELFOSABI_LINUX;
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
    std::vector<Region> special;
    for (const Region& region : parts.regions) {
        plan.statuses.push_back(check_range(region, memory));
        if (plan.statuses.back() == KMD_SLOT_OK && region.kind == KMD_KIND_VMCOREINFO) {
            special.push_back(region);
        }
    }
    const auto vmcoreinfo = read_vmcoreinfo(special, memory);
    std::vector<std::byte> notes(parts.cpu_notes.begin(), parts.cpu_notes.end());
    append_vmcoreinfo_note(notes, vmcoreinfo);

    const std::uint64_t page = guest_page_size(vmcoreinfo);
    std::vector<Claim> claims;
    const auto add = [&](const Region& region, Rank rank) {
        const Segment segment = whole_pages(region, page, memory);
        plan.segments.push_back(segment);
        if (rank != Rank::kRest) {
            claims.push_back({segment.phys, segment.phys + segment.size, rank});
        }
    };
    plan.segments.reserve(parts.regions.size() + parts.listed.size() + parts.stacks.size() +
                          parts.tables.size());
    for (std::size_t i = 0; i < parts.regions.size() && parts.with_regions; ++i) {
        const Region& region = parts.regions[i];
        if (plan.statuses[i] == KMD_SLOT_OK && region.kind != KMD_KIND_ELF_HEADER &&
            region.kind != KMD_KIND_LIST) {
            add(region, rank_of(region));
            ++plan.regions;
        }
    }
    for (const Region& region : parts.listed) {
        ++plan.listed;
        add(region, Rank::kRest);
    }
    for (const Region& region : parts.stacks) {
        add(region, Rank::kStack);
    }
    for (const Region& region : parts.tables) {
        add(region, Rank::kTable);
    }
    plan.segments = merge(std::move(plan.segments));
    std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.phys < b.phys; });
    const auto cuts =
        claims.empty() ? std::vector<std::uint64_t>() : cuts_of(extents_of(plan.segments), claims);
    plan.segments = cut(std::move(plan.segments), cuts);
    auto extents = extents_of(plan.segments, cuts);
    rank(extents, claims);

    const std::uint64_t headers = plan.segments.size() + 1;
    const bool extended = headers >= PN_XNUM;
    const std::uint64_t section_offset = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
    const std::uint64_t notes_offset = section_offset + (extended ? sizeof(Elf64_Shdr) : 0);
    const std::uint64_t body_offset = align_up(notes_offset + notes.size(), kBodyAlignment);
    const auto order = place(extents, body_offset);
    place(plan.segments, extents);
    plan.file_size = body_offset;
    plan.vital_size = body_offset;
    for (const Extent& extent : extents) {
        plan.file_size += extent.size;
        plan.vital_size += extent.rank <= Rank::kStack ? extent.size : 0;
    }
    plan.body = map(extents, order, memory);

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
