// SPDX-License-Identifier: GPL-2.0-or-later
//
// A guest's memory by physical address: that of a machine, or what a dump has of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace kmd
{

class PhysicalMemory
{
  public:
    virtual ~PhysicalMemory() = default;

    /// Fills `out` with the bytes from guest-physical address `phys` on. False when they are not all known;
    /// `out` may hold anything then. Any address is safe: what is no RAM is never read.
    virtual bool read(std::uint64_t phys, std::span<std::byte> out) = 0;

    /// A little-endian number of 8 bytes.
    std::optional<std::uint64_t> read_u64(std::uint64_t phys)
    {
        std::array<std::byte, sizeof(std::uint64_t)> bytes;
        if (!read(phys, bytes)) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data(), sizeof(value));
        return value;
    }
};

} // namespace kmd
