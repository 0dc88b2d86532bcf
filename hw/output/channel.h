// SPDX-License-Identifier: GPL-2.0-or-later
//
// A connection to somebody who collects dumps: a socket, a pipe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace kmd
{

class Channel
{
  public:
    virtual ~Channel() = default;

    /// Hands over as many of the bytes as are taken at once, and never waits: 0 when none are. Nothing
    /// when nobody is connected.
    virtual std::optional<std::size_t> send(std::span<const std::byte> bytes) = 0;

    /// Ends the connection, so that the peer sees the end. False when the channel has no such thing.
    virtual bool disconnect() = 0;
};

} // namespace kmd
