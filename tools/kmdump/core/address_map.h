// SPDX-License-Identifier: GPL-2.0-or-later
//
// Maps addresses to offsets in a file.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kmdump
{

/// The memory at `address` is at `file_offset` in the file. `size` is in bytes and at least 1;
/// `address + size - 1` does not overflow.
struct Extent {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t file_offset = 0;
};

class AddressMap
{
  public:
    AddressMap() = default;

    /// Extents may overlap; the one that starts lower wins.
    explicit AddressMap(std::vector<Extent> extents);

    /// The rest of the extent that contains `address`, starting there. Takes logarithmic time in the
    /// number of extents, even if they overlapped.
    std::optional<Extent> find(std::uint64_t address) const;

    /// Whether any of the `size` addresses from `address` on is in an extent. `size` is at least 1.
    bool overlaps(std::uint64_t address, std::uint64_t size) const;

  private:
    std::vector<Extent> extents_; // ascending and disjoint
};

} // namespace kmdump
