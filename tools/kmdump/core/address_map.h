// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where in the file the bytes of an address lie.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kmdump
{

/// `size` bytes of the file, at least 1, from `file_offset` on, that hold the memory at `address`.
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

    /// `address` and what follows it without a break in the same extent. Logarithmic in the number
    /// of extents, however they overlapped.
    std::optional<Extent> find(std::uint64_t address) const;

    /// Whether any of the `size` addresses from `address` on, at least one, is in an extent.
    bool overlaps(std::uint64_t address, std::uint64_t size) const;

  private:
    std::vector<Extent> extents_; // ascending and disjoint
};

} // namespace kmdump
