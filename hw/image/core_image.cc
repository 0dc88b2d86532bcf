// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/core_image.h"

#include "common/page_size.h"
#include "hw/image/elf_head.h"
#include "hw/image/extents.h"
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace kmd
{

namespace
{

Rank rank_of(const Region& region)
{
    return region.vital || region.kind == KMD_KIND_VMCOREINFO ? Rank::kLog : Rank::kRest;
}

/// Extends the region to whole pages of `page` bytes, if all of them are RAM and its virtual and physical
/// addresses have the same offset in a page.
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

/// Readers fetch whole pages and would take the data after a short segment for its continuation.
Segment whole_pages(const Region& region, std::uint64_t guest_page, GuestMemory& memory)
{
    for (const std::uint64_t page : {guest_page, kSmallestPage}) {
        if (const auto segment = widen(region, page, memory)) {
            return *segment;
        }
    }
    return {region.phys, region.virt, region.size, 0};
}

/// What the image has to contain: memory, in any order and with overlaps, and the parts of it that come
/// before the rest.
struct Collection {
    std::vector<Segment> segments;
    std::vector<Claim> claims;
    std::uint32_t regions = 0;
    std::uint32_t listed = 0;
};

Collection collect(const Snapshot& snapshot, GuestMemory& memory)
{
    Collection wanted;
    const auto add = [&](const Region& region, Rank rank) {
        const Segment segment = whole_pages(region, snapshot.page_size, memory);
        wanted.segments.push_back(segment);
        if (rank != Rank::kRest) {
            wanted.claims.push_back({segment.phys, segment.phys + segment.size, rank});
        }
    };
    const CheckedRegions& regions = snapshot.regions;
    wanted.segments.reserve(regions.size() + snapshot.listed.regions.size() + snapshot.stacks.size() +
                            snapshot.tables.size());
    for (std::size_t i = 0; i < regions.size() && snapshot.wants_regions; ++i) {
        const std::uint32_t kind = regions[i].kind;
        if (regions.is_ram(i) && kind != KMD_KIND_ELF_HEADER && kind != KMD_KIND_LIST) {
            add(regions[i], rank_of(regions[i]));
            ++wanted.regions;
        }
    }
    for (const Region& region : snapshot.listed.regions) {
        add(region, Rank::kRest);
        ++wanted.listed;
    }
    if (snapshot.kernel) {
        for (const Region& region : snapshot.kernel->vital) {
            add(region, Rank::kLog);
        }
        for (const Region& region : snapshot.kernel->others) {
            add(region, Rank::kRest);
        }
    }
    if (snapshot.types) {
        for (const Region& region : snapshot.types->regions) {
            add(region, Rank::kRest);
        }
    }
    for (const KernelPart& part : snapshot.parts) {
        for (const Region& region : part.regions) {
            add(region, Rank::kRest);
        }
    }
    for (const Region& region : snapshot.stacks) {
        add(region, Rank::kStack);
    }
    for (const Region& region : snapshot.tables) {
        add(region, Rank::kTable);
    }
    std::sort(wanted.claims.begin(), wanted.claims.end(),
              [](const Claim& a, const Claim& b) { return a.phys < b.phys; });
    return wanted;
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
                // All of it was RAM when it was checked. If the host breaks that promise, zeros keep the data
                // that follows at its offset.
                run = std::span(zeros).first(std::min<std::uint64_t>(zeros.size(), extent.size - done));
            }
            body.push_back(run);
            done += run.size();
        }
    }
    return body;
}

} // namespace

Plan compose_core_image(const Snapshot& snapshot, GuestMemory& memory, const Machine& machine)
{
    Plan plan;
    Collection wanted = collect(snapshot, memory);
    plan.regions = wanted.regions;
    plan.listed = wanted.listed;

    plan.segments = merge(std::move(wanted.segments));
    const auto cuts = cuts_of(plan.segments, wanted.claims);
    plan.segments = cut(std::move(plan.segments), cuts);
    auto extents = ranked_extents(plan.segments, cuts, wanted.claims);

    std::vector<std::byte> notes = snapshot.cpu_notes;
    append_vmcoreinfo_note(notes, snapshot.vmcoreinfo);
    append_layout_note(notes, snapshot.layout);
    const HeadLayout layout = layout_head(plan.segments.size(), notes.size());
    const auto order = assign_offsets(extents, layout.body_offset);
    assign_offsets(plan.segments, extents);

    plan.head = serialise_head(layout, plan.segments, notes, machine);
    plan.flags_offset = offsetof(Elf64_Ehdr, e_flags);
    plan.body = map(extents, order, memory);
    plan.file_size = layout.body_offset;
    plan.vital_size = layout.body_offset;
    for (const Extent& extent : extents) {
        plan.file_size += extent.size;
        plan.vital_size += extent.rank <= Rank::kStack ? extent.size : 0;
    }
    return plan;
}

} // namespace kmd
