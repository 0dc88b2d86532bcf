// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/inspect/memory_contents.h"

#include "common/page_size.h"
#include "common/vmcoreinfo.h"

#include <algorithm>
#include <set>
#include <utility>

namespace kmdump
{

namespace
{

/// First and last physical address.
using Range = std::pair<std::uint64_t, std::uint64_t>;

/// Page size of the guest in bytes.
std::uint64_t page_size(const CoreFile& core)
{
    return kmd::Vmcoreinfo(core.summary().vmcoreinfo).page_size().value_or(kmd::kSmallestPage);
}

std::vector<Content> list_segments(const CoreFile& core)
{
    std::vector<Content> contents;
    for (const Segment& segment : core.segments()) {
        contents.push_back({segment.phys, segment.virt, segment.file_size, segment.file_offset, "", "segment",
                            std::nullopt, segment.lost > 0 ? "the file ends before it does" : ""});
    }
    return contents;
}

Content describe(const CoreFile& core, const SidecarRegion& region)
{
    Content content{region.phys, region.virt, region.size, std::nullopt,
                    region.name, region.kind, region.id,   {}};
    if (!region.accepted) {
        content.status = region.status;
        return content;
    }
    content.file_offset = find_in_file(core, region.phys, region.size);
    if (!content.file_offset) {
        content.status = "not in the dump";
    }
    return content;
}

/// Appends the parts of `segment` from the physical address `from` on that are in none of `covered`, which is
/// ascending.
void append_uncovered(const Segment& segment, std::uint64_t from, const std::vector<Range>& covered,
                      const char* kind, std::vector<Content>& contents)
{
    const std::uint64_t last = segment.phys + (segment.file_size - 1);
    std::uint64_t next = from;
    const auto append = [&](std::uint64_t end) {
        const std::uint64_t skipped = next - segment.phys;
        contents.push_back({next, segment.virt + skipped, end - next, segment.file_offset + skipped, "", kind,
                            std::nullopt, ""});
    };
    for (auto range = std::lower_bound(
             covered.begin(), covered.end(), next,
             [](const Range&candidate, std::uint64_t wanted) { return candidate.second < wanted; });
         range != covered.end() && range->first <= last; ++range) {
        const auto [start, to] = *range;
        if (start > next) {
            append(start);
        }
        if (to >= last) {
            return;
        }
        next = to + 1;
    }
    append(last + 1);
}

/// Whether the guest gave the host a list of further memory.
bool has_list(const std::vector<SidecarRegion>& regions)
{
    return std::any_of(regions.begin(), regions.end(),
                       [](const SidecarRegion& region) { return region.accepted && region.kind == "list"; });
}

/// Appends memory that is in no region. Memory in several segments is appended once, from the lowest.
void append_all_uncovered(const CoreFile& core, const std::vector<Range>& covered, const char* kind,
                          std::vector<Content>& contents)
{
    std::vector<const Segment*> segments;
    std::set<std::uint64_t> seen; // file offsets: two segments can show the same bytes at two addresses
    for (const Segment& segment : core.segments()) {
        if (segment.file_size > 0 && seen.insert(segment.file_offset).second) {
            segments.push_back(&segment);
        }
    }
    std::stable_sort(segments.begin(), segments.end(),
                     [](const Segment* a, const Segment* b) { return a->phys < b->phys; });
    std::optional<std::uint64_t> reached; // the last address so far
    for (const Segment* segment : segments) {
        const std::uint64_t last = segment->phys + (segment->file_size - 1);
        if (reached && last <= *reached) {
            continue;
        }
        append_uncovered(*segment, reached && *reached >= segment->phys ? *reached + 1 : segment->phys,
                         covered, kind, contents);
        reached = last;
    }
}

/// The pages of the regions, merged. The dump has whole pages, so what else they hold was not added.
std::vector<Range> covered_by(const std::vector<SidecarRegion>& regions, std::uint64_t page)
{
    std::vector<Range> ranges;
    for (const SidecarRegion& region : regions) {
        if (region.accepted) {
            ranges.emplace_back(region.phys & ~(page - 1), (region.phys + (region.size - 1)) | (page - 1));
        }
    }
    std::sort(ranges.begin(), ranges.end());
    std::vector<Range> merged;
    for (const Range& range : ranges) {
        if (!merged.empty() && range.first <= merged.back().second) {
            merged.back().second = std::max(merged.back().second, range.second);
        } else {
            merged.push_back(range);
        }
    }
    return merged;
}

} // namespace

std::optional<std::uint64_t> find_in_file(const CoreFile& core, std::uint64_t phys, std::uint64_t size)
{
    const auto extent = core.find_physical(phys);
    return extent && extent->size >= size ? std::optional(extent->file_offset) : std::nullopt;
}

std::vector<Content> list_contents(const CoreFile& core, const std::optional<Sidecar>& sidecar)
{
    std::vector<Content> contents;
    if (!sidecar) {
        contents = list_segments(core);
    } else {
        for (const SidecarRegion& region : sidecar->regions) {
            contents.push_back(describe(core, region));
        }
        const char* const kind = has_list(sidecar->regions) ? kListedOrAdded : kAdded;
        append_all_uncovered(core, covered_by(sidecar->regions, page_size(core)), kind, contents);
    }
    std::stable_sort(contents.begin(), contents.end(),
                     [](const Content& a, const Content& b) { return a.phys < b.phys; });
    return contents;
}

} // namespace kmdump
