// SPDX-License-Identifier: GPL-2.0-or-later
//
// Receives dumps that a controller sends over a chardev; docs/outputs.md has the protocol.
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

struct ReceivedDump {
    /// Ends in ".incomplete" if the dump is not complete.
    std::string path;
    bool complete = false;
};

/// Limits for a sender. It may be silent between two dumps for any time.
struct StreamLimits {
    std::uint64_t dump_bytes = std::uint64_t{16} << 30; ///< of one dump and its trailer
    /// Of all dumps together; each counts as at least 1 MiB.
    std::uint64_t total_bytes = std::uint64_t{64} << 30;
    std::chrono::seconds silence{60};    ///< without data within a dump
    std::chrono::seconds dump_time{900}; ///< for one dump
};

/// Counts stored bytes. Several streams can share one, also across processes with shared memory.
using StoredBytes = std::atomic<std::uint64_t>;

class DumpStream
{
  public:
    /// `descriptor` is a socket or a pipe; it and `stored` must outlive this object. The sender is not
    /// trusted: it cannot choose a path, exceed the limits or exhaust memory.
    DumpStream(int descriptor, const StreamLimits& limits, StoredBytes& stored)
        : descriptor_(descriptor), limits_(limits), stored_(&stored)
    {
    }

    /// Stores the next dump and its trailer, unchanged, in `folder`. The dump is named NAME.incomplete until
    /// the sender has marked it complete and it is on the disk. No existing file is touched. Nothing at the
    /// end of the stream. After an error the part that was received stays.
    kmd::Result<std::optional<ReceivedDump>> receive(const std::string& folder);

  private:
    using Clock = std::chrono::steady_clock;
    struct Mark;
    struct Trailer;

    std::string_view pending() const { return std::string_view(buffered_).substr(taken_); }
    /// A line without its newline. Nothing if the stream ends or the line is longer than `longest` bytes.
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
    std::size_t taken_ = 0; // bytes of buffered_ that were consumed
    std::uint64_t dump_bytes_ = 0;
    std::optional<Clock::time_point> dump_ends_;
    std::string late_; // why the sender timed out; empty if it did not
};

} // namespace kmdump
