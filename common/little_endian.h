// SPDX-License-Identifier: GPL-2.0-or-later
//
// Little-endian numbers from guest memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

namespace kmd
{

static_assert(std::endian::native == std::endian::little, "the guest's numbers are copied as they are");

/// The number at `offset`, which the caller has checked to be in bounds.
template <class T> T load(std::span<const std::byte> bytes, std::size_t offset)
{
    T value;
    std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
    return value;
}

} // namespace kmd
