// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ByteSink that fails after a given number of stored bytes.
#pragma once

#include "hw/output/byte_sink.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace kmd
{

class LimitedBytes final : public ByteSink
{
  public:
    /// Forwards to `to`, which outlives it, until that has stored `limit` bytes. At the next byte it calls
    /// `reached`, which returns the cause of the failure.
    LimitedBytes(ByteSink& to, std::uint64_t limit, std::function<std::string()> reached)
        : to_(to), limit_(limit), reached_(std::move(reached))
    {
    }

    std::optional<std::string> write(Pieces pieces) override
    {
        for (auto piece : pieces) {
            // Again, because zeros may have taken no room.
            while (!piece.empty()) {
                const std::uint64_t room = limit_ - std::min(limit_, stored());
                if (room == 0) {
                    return reached_();
                }
                const auto now = piece.first(std::min<std::uint64_t>(room, piece.size()));
                if (auto failure = to_.write(Pieces(&now, 1))) {
                    return failure;
                }
                piece = piece.subspan(now.size());
            }
        }
        return std::nullopt;
    }
    std::uint64_t written() const override { return to_.written(); }
    std::uint64_t stored() const override { return to_.stored(); }

  private:
    ByteSink& to_;
    std::uint64_t limit_;
    std::function<std::string()> reached_;
};

} // namespace kmd
