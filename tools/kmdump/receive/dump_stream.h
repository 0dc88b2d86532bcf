// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps as a controller sends them over a chardev: the receiving side of the protocol in
// docs/outputs.md.
#pragma once

#include "common/result.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmdump
{

/// A dump that was received.
struct ReceivedDump {
    /// Where it is; the name says so when it is not complete.
    std::string path;
    bool complete = false;
};

/// What a sender may take. Between two dumps it may be silent as long as it likes.
struct StreamLimits {
    std::uint64_t dump_bytes = std::uint64_t{16} << 30; ///< of one dump and its trailer
    /// Of all dumps together; each counts as at least 1 MiB.
    std::uint64_t total_bytes = std::uint64_t{64} << 30;
    std::chrono::seconds silence{60}; ///< within a dump
    std::chrono::seconds dump_time{900};
};

/// Bytes that were stored. Several streams, and processes that share the memory, can count in one.
using StoredBytes = std::atomic<std::uint64_t>;

class DumpStream
{
  public:
    /// `descriptor`: a socket or a pipe that stays open longer, as `stored` does. It can be anybody's:
    /// nothing in the stream chooses a path, passes the limits or makes this process grow.
    DumpStream(int descriptor, const StreamLimits& limits, StoredBytes& stored)
        : descriptor_(descriptor), limits_(limits), stored_(&stored)
    {
    }

    /// Stores the next dump in `folder`, as NAME.incomplete until the sender said that it is complete and
    /// all of it is on the disk, and its trailer beside it, byte for byte. No existing file is touched.
    /// Nothing at the end of the stream; an error says what was expected, and what came of the dump stays.
    kmd::Result<std::optional<ReceivedDump>> receive(const std::string& folder);

  private:
    using Clock = std::chrono::steady_clock;
    struct Mark;
    struct Trailer;

    std::string_view pending() const { return std::string_view(buffered_).substr(taken_); }
    /// Without the newline; nothing at the end of the stream, or when it is longer than `longest` bytes.
    std::optional<std::string> read_line(std::size_t longest);
    bool fill();
    bool wait();
    std::optional<kmd::Error> count(std::uint64_t bytes);
    std::optional<kmd::Error> copy_chunks(int file);
    std::optional<kmd::Error> copy_trailer(int file);
    kmd::Result<Trailer> read_trailer(int folder, const std::string& name);
    kmd::Error ended(const std::string& expected) const;

    int descriptor_;
    StreamLimits limits_;
    StoredBytes* stored_;
    std::string buffered_;
    std::size_t taken_ = 0; // of buffered_, from its begin
    std::uint64_t dump_bytes_ = 0;
    std::optional<Clock::time_point> dump_ends_;
    std::string late_; // why the sender was given up
};

} // namespace kmdump
