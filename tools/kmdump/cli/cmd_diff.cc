// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_diff.h"

#include "common/text.h"
#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/inspect/dump_diff.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace kmdump
{

namespace
{

/// Ranges that are shown for one piece; JSON has all of them.
constexpr std::size_t kRangesShown = 8;

struct Side {
    CoreFile core;
    std::optional<Sidecar> sidecar;
};

kmd::Result<Side> open_side(const std::string& path)
{
    auto core = CoreFile::open(path);
    if (!core) {
        return core.error();
    }
    auto sidecar = read_sidecar(path);
    if (!sidecar) {
        return sidecar.error();
    }
    return Side{std::move(core.value()), std::move(sidecar.value())};
}

void print_piece(const ComparedPiece& piece, const Style& style, std::ostream& out)
{
    const std::string name = piece.name.empty() ? "memory at " + kmd::hex(piece.phys_a) : escape(piece.name);
    if (piece.size_a != piece.size_b) {
        out << style.heading(name) << ": " << piece.size_a << " bytes, in the other dump " << piece.size_b
            << "\n";
    }
    if (piece.different == 0) {
        return;
    }
    out << style.heading(name) << ": " << piece.different << " of " << piece.size << " bytes differ\n";
    for (std::size_t i = 0; i < std::min(piece.ranges.size(), kRangesShown); ++i) {
        const DifferentRange& range = piece.ranges[i];
        out << "  +" << kmd::hex(range.offset) << ", " << range.size
            << (range.size == 1 ? " byte\n" : " bytes\n");
    }
    const std::uint64_t shown = std::min(piece.ranges.size(), kRangesShown);
    const std::uint64_t more = piece.ranges.size() - shown + piece.ranges_left_out;
    if (more > 0) {
        out << "  and " << more << " more ranges\n";
    }
}

void print_unmatched(const std::vector<Unmatched>& list, const std::string& dump, std::ostream& out)
{
    for (const Unmatched& one : list) {
        out << "only in " << dump << ": " << (one.name.empty() ? "memory" : escape(one.name)) << " at "
            << kmd::hex(one.phys) << ", " << one.size << " bytes\n";
    }
}

void write_unmatched(const char* name, const std::vector<Unmatched>& list, JsonStream& stream)
{
    stream.begin_list(name);
    for (const Unmatched& one : list) {
        stream.add({{"name", one.name}, {"phys", json_address(one.phys)}, {"size", one.size}});
    }
    stream.end_list();
}

Json to_json(const ComparedPiece& piece)
{
    Json ranges = Json::array();
    for (const DifferentRange& range : piece.ranges) {
        ranges.push_back({{"offset", range.offset}, {"size", range.size}});
    }
    return {{"name", piece.name},
            {"phys", {json_address(piece.phys_a), json_address(piece.phys_b)}},
            {"sizes", {piece.size_a, piece.size_b}},
            {"different", piece.different},
            {"ranges", std::move(ranges)},
            {"ranges_left_out", piece.ranges_left_out}};
}

} // namespace

kmd::Result<bool> print_diff(const DiffOptions& options, const Style& style, std::ostream& out)
{
    const auto a = open_side(options.path);
    if (!a) {
        return a.error();
    }
    const auto b = open_side(options.other);
    if (!b) {
        return kmd::Error{"compared with " + options.other + ": " + b.error().what};
    }
    const DumpDiff diff = compare_dumps(a.value().core, a.value().sidecar, b.value().core, b.value().sidecar);
    if (options.json) {
        Json json = json_document("diff", options.path);
        json["other"] = options.other;
        json["same"] = diff.same();
        json["cut"] = diff.cut;
        JsonStream stream(json, out);
        stream.begin_list("compared");
        for (const ComparedPiece& piece : diff.pieces) {
            stream.add(to_json(piece));
        }
        stream.end_list();
        write_unmatched("only_in_dump", diff.only_a, stream);
        write_unmatched("only_in_other", diff.only_b, stream);
        stream.end();
        return diff.same();
    }
    print_unmatched(diff.only_a, options.path, out);
    print_unmatched(diff.only_b, options.other, out);
    for (const ComparedPiece& piece : diff.pieces) {
        print_piece(piece, style, out);
    }
    if (diff.cut) {
        out << "not everything was compared: the pieces overlap in more bytes than both files store\n";
    }
    return diff.same();
}

} // namespace kmdump
