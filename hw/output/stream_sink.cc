// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/stream_sink.h"

#include "common/elapsed.h"

#include "hw/output/pending_dump.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <thread>

namespace kmd
{

namespace
{

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestChunk = std::size_t{1} << 20;

/// Pause before the next try of a channel that accepts nothing.
constexpr auto kPause = std::chrono::milliseconds(1);

/// Sends bytes until a deadline.
class ChannelBytes final : public ByteSink
{
  public:
    ChannelBytes(Channel& channel, Clock::time_point end) : channel_(channel), end_(end) {}

    std::optional<std::string> write(Pieces pieces) override
    {
        for (auto piece : pieces) {
            while (!piece.empty() && !failure_) {
                send_some(piece);
            }
        }
        return failure_;
    }
    std::uint64_t written() const override { return written_; }

    /// Why the channel accepts no more.
    const std::optional<std::string>& failure() const { return failure_; }

  private:
    void send_some(std::span<const std::byte>& piece)
    {
        const auto sent = channel_.send(piece);
        if (!sent) {
            failure_ = written_ == 0 ? "nobody is connected" : "the peer went away";
        } else if (*sent > 0) {
            written_ += *sent;
            piece = piece.subspan(*sent);
        } else if (Clock::now() >= end_) {
            failure_ =
                written_ == 0 ? "the peer accepts nothing" : "the peer did not accept all of it in time";
        } else {
            std::this_thread::sleep_for(kPause);
        }
    }

    Channel& channel_;
    Clock::time_point end_;
    std::uint64_t written_ = 0;
    std::optional<std::string> failure_;
};

std::optional<std::string> put_text(ByteSink& out, const std::string& text)
{
    const auto bytes = std::as_bytes(std::span(text));
    return out.write(Pieces(&bytes, 1));
}

/// Sends the length before each chunk, in hexadecimal on a line of its own.
class Chunks final : public ByteSink
{
  public:
    explicit Chunks(ByteSink& out) : out_(out) {}

    std::optional<std::string> write(Pieces pieces) override
    {
        for (auto piece : pieces) {
            while (!piece.empty()) {
                const auto chunk = piece.first(std::min(piece.size(), kLargestChunk));
                std::array<char, 16> length;
                std::snprintf(length.data(), length.size(), "%zx\n", chunk.size());
                if (auto failure = put_text(out_, length.data())) {
                    return failure;
                }
                const std::uint64_t before = out_.written();
                auto failure = out_.write(Pieces(&chunk, 1));
                written_ += out_.written() - before;
                if (failure) {
                    return failure;
                }
                piece = piece.subspan(chunk.size());
            }
        }
        return std::nullopt;
    }
    std::uint64_t written() const override { return written_; }

  private:
    ByteSink& out_;
    std::uint64_t written_ = 0;
};

/// Always returns a trailer, because the receiver waits for one.
std::string describe(const Dump& dump, Stored& stored)
{
    try {
        return dump.describe(stored, true);
    } catch (const std::bad_alloc&) {
        stored.incomplete_because = "the host is out of memory";
        return R"({"result":"incomplete"})";
    }
}

} // namespace

std::string StreamSink::header(const Dump& dump) const
{
    const Compression compression = options_.compression;
    const nlohmann::ordered_json line = {
        {"kmemdump-md", 1},
        {"name",
         pattern_.expand((dump.number - 1) % NamePattern::kHighestNumber + 1, dump.reason, dump.time) +
             name_suffix(dump.plan, compression)},
        {"mark",
         {{"offset", stored_flags_offset(dump.plan, compression)}, {"complete", dump.plan.complete_flags}}},
    };
    return line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Stored> StreamSink::store(const Dump& dump)
{
    if (broken_) {
        return Error{"chardev " + name_ + " broke off during an earlier dump and cannot be reconnected"};
    }
    const auto start = Clock::now();
    ChannelBytes channel(channel_, start + at_most_);
    Chunks chunks(channel);
    Progress progress;
    Stored stored;
    stored.where = "chardev " + name_;
    stored.incomplete_because = put_text(channel, header(dump)).value_or("");
    if (stored.incomplete_because.empty()) {
        encode_dump(dump, options_, true, chunks, progress, stored);
    }
    stored.write_nanoseconds = elapsed_ns(start);
    if (!channel.failure()) {
        const std::string trailer = describe(dump, stored) + "\n";
        if (auto too_late = put_text(channel, "0\n" + trailer)) {
            stored.incomplete_because = *too_late;
        } else {
            stored.sidecar_bytes = trailer.size();
        }
    }
    if (channel.failure() && channel.written() > 0) {
        broken_ = !channel_.disconnect();
    }
    if (stored.bytes < smallest_useful(dump.plan, options_.compression)) {
        return Error{stored.where + ": " + stored.incomplete_because};
    }
    return stored;
}

} // namespace kmd
