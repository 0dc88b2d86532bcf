// SPDX-License-Identifier: GPL-2.0-or-later
//
// What two dumps say differently.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// Bytes that differ without a break of more than a few.
struct DifferentRange {
    std::uint64_t offset = 0; ///< from the beginning of the piece
    std::uint64_t size = 0;
};

/// Memory that both dumps have.
struct ComparedPiece {
    std::string name; ///< of the region; empty when the piece is compared by physical address
    std::uint64_t phys_a = 0;
    std::uint64_t phys_b = 0;
    std::uint64_t size = 0;   ///< bytes that were compared
    std::uint64_t size_a = 0; ///< bytes in each dump
    std::uint64_t size_b = 0;
    std::uint64_t different = 0;        ///< bytes that differ
    std::vector<DifferentRange> ranges; ///< of all pieces together at most 65536
    std::uint64_t ranges_left_out = 0;  ///< how many more there are
};

/// A region, or a run of memory, of one dump alone.
struct Unmatched {
    std::string name; ///< empty for memory
    std::uint64_t phys = 0;
    std::uint64_t size = 0; ///< bytes
};

struct DumpDiff {
    std::vector<ComparedPiece> pieces; ///< those that are the same are among them
    std::vector<Unmatched> only_a;
    std::vector<Unmatched> only_b;
    /// Not everything was compared: pieces that overlap have more than 4 times what both files store, and
    /// more than 256 MiB.
    bool cut = false;

    bool same() const;
};

/// With two sidecars region by region, by name, wherever they lie: so dumps of two boots can be compared.
/// Otherwise by physical address. A region that is not whole in its dump counts as not there.
DumpDiff compare_dumps(const CoreFile& a, const std::optional<Sidecar>& sidecar_a, const CoreFile& b,
                       const std::optional<Sidecar>& sidecar_b);

} // namespace kmdump
