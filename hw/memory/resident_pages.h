// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages of guest RAM the host has allocated. Reading another would allocate it, if the RAM is a file or
// is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

class ResidentPages
{
  public:
    /// Asks the host (mincore) about `bytes`, which are mapped memory. If it does not answer, all pages count
    /// as allocated.
    explicit ResidentPages(std::span<const std::byte> bytes);

    /// Whether the first byte of `part`, which lies in the bytes, is allocated.
    bool contains(std::span<const std::byte> part) const;

  private:
    std::uintptr_t first_;
    std::uintptr_t page_size_;
    /// One for each page; empty if the host did not answer.
    std::vector<unsigned char> pages_;
};

} // namespace kmd
