// SPDX-License-Identifier: GPL-2.0-or-later
//
// Appends the bytes of a file format's structure, exactly as it is in memory.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace kmd
{

template <class T> void append(std::vector<std::byte>& out, const T& object)
{
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = std::as_bytes(std::span(&object, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

} // namespace kmd
