// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/inspect/dump_diff.h"

#include "kmdump/inspect/memory_contents.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>

namespace kmdump
{

namespace
{

/// Ranges with fewer equal bytes between them are merged.
constexpr std::uint64_t kGap = 16;

/// A run of physical memory, from its first to its last address.
struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

/// The memory in a dump, in ascending order and without overlaps.
std::vector<Run> runs_of(const CoreFile& core)
{
    std::vector<Run> runs;
    for (const Segment& segment : core.segments()) {
        if (segment.file_size > 0) {
            runs.push_back({segment.phys, segment.phys + (segment.file_size - 1)});
        }
    }
    std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.first < b.first; });
    std::vector<Run> merged;
    for (const Run& run : runs) {
        if (!merged.empty() && (run.first <= merged.back().last || run.first - merged.back().last == 1)) {
            merged.back().last = std::max(merged.back().last, run.last);
        } else {
            merged.push_back(run);
        }
    }
    return merged;
}

/// Compares memory of two dumps, up to a limit of bytes.
class Comparison
{
  public:
    Comparison(const CoreFile& a, const CoreFile& b)
        : a_(a), b_(b), bytes_left_(kLeastCompared + 4 * (a.stored_bytes() + b.stored_bytes())),
          left_(kBlock), right_(kBlock)
    {
    }

    /// Fills in the differences between the first `piece.size` bytes.
    void compare(ComparedPiece& piece)
    {
        std::uint64_t now = 0;
        last_end_.reset();
        for (std::uint64_t done = 0; done < piece.size && bytes_left_ > 0; done += now) {
            const std::uint64_t left = piece.size - done;
            now = std::min(
                {left, a_.hole_at_physical(piece.phys_a + done), b_.hole_at_physical(piece.phys_b + done)});
            if (now == 0) {
                now = std::min<std::uint64_t>(kBlock, left);
                if (!compare_block(piece, done, now)) {
                    return;
                }
            }
        }
    }

    /// Whether the limit was reached.
    bool cut() const { return bytes_left_ == 0; }

  private:
    static constexpr std::size_t kBlock = 65536;
    static constexpr std::uint64_t kLeastCompared = std::uint64_t{256} << 20;

    bool compare_block(ComparedPiece& piece, std::uint64_t done, std::size_t size)
    {
        const auto left = std::span(left_).first(size);
        const auto right = std::span(right_).first(size);
        bytes_left_ -= std::min<std::uint64_t>(bytes_left_, std::max<std::size_t>(size, 512));
        if (!a_.read_physical(piece.phys_a + done, left) || !b_.read_physical(piece.phys_b + done, right)) {
            return false;
        }
        if (std::memcmp(left.data(), right.data(), size) == 0) {
            return true;
        }
        for (std::size_t i = 0; i < size; ++i) {
            if (left[i] != right[i]) {
                add_difference(piece, done + i);
            }
        }
        return true;
    }

    void add_difference(ComparedPiece& piece, std::uint64_t offset)
    {
        ++piece.different;
        const bool continues = last_end_ && offset - *last_end_ < kGap;
        last_end_ = offset + 1;
        if (continues) {
            if (piece.ranges_left_out == 0) {
                piece.ranges.back().size = offset - piece.ranges.back().offset + 1;
            }
        } else if (ranges_left_ == 0) {
            ++piece.ranges_left_out;
        } else {
            --ranges_left_;
            piece.ranges.push_back({offset, 1});
        }
    }

    const CoreFile& a_;
    const CoreFile& b_;
    std::uint64_t bytes_left_;
    std::size_t ranges_left_ = 65536;
    std::optional<std::uint64_t> last_end_; // end of the last range in this piece
    std::vector<std::byte> left_;
    std::vector<std::byte> right_;
};

/// Identifies a region in both dumps: name, kind, and its number among those with the same two.
using Key = std::pair<std::pair<std::string, std::string>, std::size_t>;

std::map<Key, SidecarRegion> index(const CoreFile& core, const Sidecar& sidecar)
{
    std::map<Key, SidecarRegion> regions;
    std::map<std::pair<std::string, std::string>, std::size_t> seen;
    for (const SidecarRegion& region : sidecar.regions) {
        if (region.accepted && find_in_file(core, region.phys, region.size)) {
            const std::pair name(region.name, region.kind);
            regions.emplace(Key(name, seen[name]++), region);
        }
    }
    return regions;
}

DumpDiff compare_regions(const CoreFile& a, const Sidecar& sidecar_a, const CoreFile& b,
                         const Sidecar& sidecar_b)
{
    DumpDiff diff;
    Comparison comparison(a, b);
    const auto in_a = index(a, sidecar_a);
    const auto in_b = index(b, sidecar_b);
    for (const auto& [key, region] : in_a) {
        const auto other = in_b.find(key);
        if (other == in_b.end()) {
            diff.only_a.push_back({region.name, region.phys, region.size});
            continue;
        }
        ComparedPiece piece{region.name,
                            region.phys,
                            other->second.phys,
                            std::min(region.size, other->second.size),
                            region.size,
                            other->second.size,
                            0,
                            {}};
        comparison.compare(piece);
        diff.pieces.push_back(std::move(piece));
    }
    for (const auto& [key, region] : in_b) {
        if (!in_a.contains(key)) {
            diff.only_b.push_back({region.name, region.phys, region.size});
        }
    }
    diff.cut = comparison.cut();
    return diff;
}

/// The parts of `runs` that are not in `others`.
std::vector<Unmatched> subtract(const std::vector<Run>& runs, const std::vector<Run>& others)
{
    std::vector<Unmatched> rest;
    auto other = others.begin();
    for (const Run& run : runs) {
        std::uint64_t next = run.first;
        bool done = false;
        while (other != others.end() && other->last < run.first) {
            ++other;
        }
        for (auto cut = other; !done && cut != others.end() && cut->first <= run.last; ++cut) {
            if (cut->first > next) {
                rest.push_back({"", next, cut->first - next});
            }
            done = cut->last >= run.last;
            next = cut->last + 1;
        }
        if (!done) {
            rest.push_back({"", next, run.last - next + 1});
        }
    }
    return rest;
}

DumpDiff compare_memory(const CoreFile& a, const CoreFile& b)
{
    DumpDiff diff;
    const auto runs_a = runs_of(a);
    const auto runs_b = runs_of(b);
    Comparison comparison(a, b);
    auto other = runs_b.begin();
    for (const Run& run : runs_a) {
        while (other != runs_b.end() && other->last < run.first) {
            ++other;
        }
        for (auto common = other; common != runs_b.end() && common->first <= run.last; ++common) {
            const std::uint64_t first = std::max(run.first, common->first);
            const std::uint64_t size = std::min(run.last, common->last) - first + 1;
            ComparedPiece piece{"", first, first, size, size, size, 0, {}};
            comparison.compare(piece);
            diff.pieces.push_back(std::move(piece));
        }
    }
    diff.only_a = subtract(runs_a, runs_b);
    diff.only_b = subtract(runs_b, runs_a);
    diff.cut = comparison.cut();
    return diff;
}

} // namespace

bool DumpDiff::same() const
{
    return !cut && only_a.empty() && only_b.empty() &&
           std::all_of(pieces.begin(), pieces.end(), [](const ComparedPiece& piece) {
               return piece.different == 0 && piece.size_a == piece.size_b;
           });
}

DumpDiff compare_dumps(const CoreFile& a, const std::optional<Sidecar>& sidecar_a, const CoreFile& b,
                       const std::optional<Sidecar>& sidecar_b)
{
    return sidecar_a && sidecar_b ? compare_regions(a, *sidecar_a, b, *sidecar_b) : compare_memory(a, b);
}

} // namespace kmdump
