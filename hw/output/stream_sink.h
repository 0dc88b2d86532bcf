// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps over a channel, for collecting on another host: a line of JSON, the bytes in chunks, and a line
// of JSON that says what became of it. The protocol is in docs/outputs.md.
#pragma once

#include "common/result.h"
#include "hw/output/channel.h"
#include "hw/output/name_pattern.h"
#include "hw/output/sink.h"

#include <chrono>
#include <string>
#include <utility>

namespace kmd
{

class StreamSink final : public Sink
{
  public:
    /// `name`: the channel's, for people. A dump that is not through after `at_most` is given up.
    /// `channel` outlives it.
    StreamSink(Channel& channel, std::string name, NamePattern pattern, const StoreOptions& options,
               std::chrono::milliseconds at_most)
        : channel_(channel), name_(std::move(name)), pattern_(std::move(pattern)), options_(options),
          at_most_(at_most)
    {
    }

    /// Complete means that the channel took all of it: what the peer makes of it is the peer's.
    Result<Stored> store(const Dump& dump) override;

  private:
    std::string header(const Dump& dump) const;

    Channel& channel_;
    std::string name_;
    NamePattern pattern_;
    StoreOptions options_;
    std::chrono::milliseconds at_most_;
    /// Broke off within a dump and could not be ended: what is sent now would become part of that dump.
    bool broken_ = false;
};

} // namespace kmd
