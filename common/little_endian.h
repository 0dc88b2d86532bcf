// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers in the guest's memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

namespace kmd
{

static_assert(std::endian::native == std::endian::little, "the guest's numbers are copied as they are");

/// The number at `offset`. The caller has made sure that it lies inside.
template <class T> T load(std::span<const std::byte> bytes, std::size_t offset)
{
    T value;
    std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
    return value;
}

} // namespace kmd
