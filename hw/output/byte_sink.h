// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the bytes of a dump go, one after the other: a file, files of a folder, a channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kmd
{

/// Pieces of memory that follow each other in the output. Not owned.
using Pieces = std::span<const std::span<const std::byte>>;

class ByteSink
{
  public:
    virtual ~ByteSink() = default;

    /// Takes all bytes of the pieces, in order. Returns the cause if it could not, and then takes no
    /// more.
    virtual std::optional<std::string> write(Pieces pieces) = 0;

    /// Bytes that arrived so far.
    virtual std::uint64_t written() const = 0;
};

} // namespace kmd
