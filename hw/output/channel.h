// SPDX-License-Identifier: GPL-2.0-or-later
//
// A connection to a receiver of dumps, such as a socket or a pipe.
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

    /// Sends as many bytes as the channel accepts at once, possibly 0; never waits. None if nobody is
    /// connected.
    virtual std::optional<std::size_t> send(std::span<const std::byte> bytes) = 0;

    /// Closes the connection so that the peer sees its end. False if the channel cannot.
    virtual bool disconnect() = 0;
};

} // namespace kmd
