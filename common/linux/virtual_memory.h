// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory of a Linux kernel by kernel virtual address: of a running guest or from a dump.
#pragma once

#include "common/little_endian.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace kmd
{

class VirtualMemory
{
  public:
    virtual ~VirtualMemory() = default;

    /// Fills `out`. False if any of the bytes is not available; the contents of `out` are then undefined. Any
    /// address is safe.
    virtual bool read(std::uint64_t address, std::span<std::byte> out) const = 0;

    /// Fills the start of `out`. Returns the number of bytes read; 0 if the first byte is not available.
    /// After a short read the next byte may still be available.
    virtual std::size_t read_some(std::uint64_t address, std::span<std::byte> out) const
    {
        return read(address, out) ? out.size() : 0;
    }

    /// Little-endian numbers. None if they are not available.
    std::optional<std::uint64_t> read_u64(std::uint64_t address) const
    {
        return number<std::uint64_t>(address);
    }
    std::optional<std::uint32_t> read_u32(std::uint64_t address) const
    {
        return number<std::uint32_t>(address);
    }

  private:
    template <class T> std::optional<T> number(std::uint64_t address) const
    {
        std::array<std::byte, sizeof(T)> bytes;
        return read(address, bytes) ? std::optional(load<T>(bytes, 0)) : std::nullopt;
    }
};

} // namespace kmd
