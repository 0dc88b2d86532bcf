// SPDX-License-Identifier: GPL-2.0-or-later
//
// The page sizes of supported guests, in bytes.
#pragma once

#include <cstdint>

namespace kmd
{

inline constexpr std::uint64_t kSmallestPage = 4096;
inline constexpr std::uint64_t kLargestPage = 65536;

/// 4, 16 or 64 KiB.
constexpr bool is_page_size(std::uint64_t size)
{
    return size == kSmallestPage || size == 4 * kSmallestPage || size == kLargestPage;
}

} // namespace kmd
