// SPDX-License-Identifier: GPL-2.0-or-later
//
// Receives the bytes of a dump in order: a file, the files of a folder, or a channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kmd
{

/// Pieces of memory that are consecutive in the output. Not owned.
using Pieces = std::span<const std::span<const std::byte>>;

class ByteSink
{
  public:
    virtual ~ByteSink() = default;

    /// Writes all pieces in order. Returns the cause of a failure, after which it accepts no more.
    virtual std::optional<std::string> write(Pieces pieces) = 0;

    /// Bytes written so far. Zeros that were not written count when bytes follow them.
    virtual std::uint64_t written() const = 0;

    /// Those of them that take room.
    virtual std::uint64_t stored() const { return written(); }
};

} // namespace kmd
