// SPDX-License-Identifier: GPL-2.0-or-later
//
// Compares two dumps.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// Bytes that differ, perhaps with a few equal ones among them.
struct DifferentRange {
    std::uint64_t offset = 0; ///< bytes from the start of the piece
    std::uint64_t size = 0;   ///< bytes
};

/// Memory that both dumps have.
struct ComparedPiece {
    std::string name; ///< of the region; empty if the piece is compared by physical address
    std::uint64_t phys_a = 0;
    std::uint64_t phys_b = 0;
    std::uint64_t size = 0;   ///< bytes that were compared
    std::uint64_t size_a = 0; ///< bytes in each dump
    std::uint64_t size_b = 0;
    std::uint64_t different = 0;        ///< bytes that differ
    std::vector<DifferentRange> ranges; ///< at most 65536 in all pieces together
    std::uint64_t ranges_left_out = 0;  ///< number of further ranges
};

/// A region or a run of memory that only one of the dumps has.
struct Unmatched {
    std::string name; ///< empty for a run of memory
    std::uint64_t phys = 0;
    std::uint64_t size = 0; ///< bytes
};

struct DumpDiff {
    std::vector<ComparedPiece> pieces; ///< including those without differences
    std::vector<Unmatched> only_a;
    std::vector<Unmatched> only_b;
    /// Not everything was compared: overlapping pieces add up to more than 256 MiB plus 4 times what both
    /// files store.
    bool cut = false;

    bool same() const;
};

/// Compares region by region, by name, if both dumps have a sidecar, so that dumps of two boots can be
/// compared; otherwise by physical address. A region that is not complete in its dump counts as missing.
DumpDiff compare_dumps(const CoreFile& a, const std::optional<Sidecar>& sidecar_a, const CoreFile& b,
                       const std::optional<Sidecar>& sidecar_b);

} // namespace kmdump
