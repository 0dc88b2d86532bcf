// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sends dumps over a channel to another host: a line of JSON, the bytes in chunks, and a line of JSON with
// the outcome. docs/outputs.md has the protocol.
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
    /// `name`: that of the channel, for messages. A dump that takes longer than `at_most` is given up.
    /// `channel` outlives the sink.
    StreamSink(Channel& channel, std::string name, NamePattern pattern, const StoreOptions& options,
               std::chrono::milliseconds at_most)
        : channel_(channel), name_(std::move(name)), pattern_(std::move(pattern)), options_(options),
          at_most_(at_most)
    {
    }

    /// A dump is complete if the channel accepted all of it; whether the peer stores it is unknown.
    Result<Stored> store(const Dump& dump) override;

  private:
    std::string header(const Dump& dump) const;

    Channel& channel_;
    std::string name_;
    NamePattern pattern_;
    StoreOptions options_;
    std::chrono::milliseconds at_most_;
    /// The connection broke off during a dump and could not be closed: anything sent now would become part of
    /// that dump.
    bool broken_ = false;
};

} // namespace kmd
