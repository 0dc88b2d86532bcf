// SPDX-License-Identifier: GPL-2.0-or-later
//
// A second output for when the first one fails.
#pragma once

#include "common/result.h"
#include "hw/output/sink.h"

#include <memory>
#include <utility>

namespace kmd
{

class FallbackSink final : public Sink
{
  public:
    FallbackSink(std::unique_ptr<Sink> first, std::unique_ptr<Sink> second)
        : first_(std::move(first)), second_(std::move(second))
    {
    }

    /// Stores the dump with the second sink, with a remark that says why, unless the first one completes it
    /// or runs out of Dump::room, which is the same for both.
    Result<Stored> store(const Dump& dump) override
    {
        auto stored = first_->store(dump);
        if (stored && (stored.value().incomplete_because.empty() || stored.value().out_of_room)) {
            return stored;
        }
        const std::string why =
            stored ? stored.value().where + ": " + stored.value().incomplete_because : stored.error().what;
        Dump again = dump;
        again.describe = [&](Stored result, bool one_line) {
            result.remarks.push_back(why);
            return dump.describe(result, one_line);
        };
        auto second = second_->store(again);
        if (!second) {
            return stored ? stored : Result<Stored>(Error{why + "; " + second.error().what});
        }
        second.value().remarks.push_back(why);
        return second;
    }

  private:
    std::unique_ptr<Sink> first_;
    std::unique_ptr<Sink> second_;
};

} // namespace kmd
