// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ByteSink that fails after a given number of bytes.
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
    /// Forwards `limit` bytes to `to`, which outlives it. At the next byte it calls `reached`, which returns
    /// the cause of the failure.
    LimitedBytes(ByteSink& to, std::uint64_t limit, std::function<std::string()> reached)
        : to_(to), limit_(limit), reached_(std::move(reached))
    {
    }

    std::optional<std::string> write(Pieces pieces) override
    {
        for (const auto& piece : pieces) {
            const std::uint64_t room = limit_ - std::min(limit_, written());
            const auto good = piece.first(std::min<std::uint64_t>(room, piece.size()));
            if (auto failure = to_.write(Pieces(&good, 1))) {
                return failure;
            }
            if (good.size() < piece.size()) {
                return reached_();
            }
        }
        return std::nullopt;
    }
    std::uint64_t written() const override { return to_.written(); }

  private:
    ByteSink& to_;
    std::uint64_t limit_;
    std::function<std::string()> reached_;
};

} // namespace kmd
