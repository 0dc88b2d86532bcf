// SPDX-License-Identifier: GPL-2.0-or-later
//
// Guest memory by physical address: of a running machine or from a dump.
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

    /// Fills `out` with the bytes at guest-physical address `phys`. False if any of them is not available;
    /// the contents of `out` are then undefined. Any address is safe: only RAM is read.
    virtual bool read(std::uint64_t phys, std::span<std::byte> out) = 0;

    /// An 8-byte little-endian number.
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
