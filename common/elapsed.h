// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>

namespace kmd
{

/// Nanoseconds between two points in time.
inline std::uint64_t elapsed_ns(std::chrono::steady_clock::time_point from,
                                std::chrono::steady_clock::time_point to)
{
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

/// Nanoseconds since a point in time.
inline std::uint64_t elapsed_ns(std::chrono::steady_clock::time_point from)
{
    return elapsed_ns(from, std::chrono::steady_clock::now());
}

} // namespace kmd
