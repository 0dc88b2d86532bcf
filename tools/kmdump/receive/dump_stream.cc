// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/receive/dump_stream.h"

#include "common/descriptor.h"
#include "kmdump/receive/new_file.h"
#include "kmdump/receive/trailer_result.h"
#include "kmdump/text/json_bounds.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace kmdump
{

namespace
{

constexpr std::size_t kLongestHeader = 4096;
constexpr std::size_t kLongestTrailer = std::size_t{64} << 20;
constexpr std::size_t kLargestChunk = std::size_t{1} << 20;

/// Bytes that a dump counts as at least, since even empty files cost something.
constexpr std::uint64_t kLeastCounted = std::uint64_t{1} << 20;

/// Small chunks are collected up to this size before they are written.
constexpr std::size_t kBlock = std::size_t{1} << 18;

using Json = nlohmann::json;

using kmd::Descriptor;
using kmd::os_error;

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::optional<std::size_t> chunk_length(const std::optional<std::string>& line)
{
    if (!line || line->empty()) {
        return std::nullopt;
    }
    std::size_t length = 0;
    const char* end = line->data() + line->size();
    const auto parsed = std::from_chars(line->data(), end, length, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end || length > kLargestChunk) {
        return std::nullopt;
    }
    return length;
}

} // namespace

/// The 4 bytes that the receiver writes into a dump to mark it complete.
struct DumpStream::Mark {
    std::string name;
    std::uint64_t offset = 0;
    std::uint32_t complete = 0;

    static kmd::Result<Mark> parse(const std::string& line)
    {
        JsonBounds bounds({.depth = 2, .values = 64, .token_bytes = kLongestHeader});
        const auto json = bounds.feed(line) ? Json() : Json::parse(line, nullptr, false);
        Mark mark;
        if (json.is_object() && json.value("kmemdump-md", Json()) == 1 && json.contains("name") &&
            json["name"].is_string() && json.contains("mark") && json["mark"].is_object()) {
            const Json offset = json["mark"].value("offset", Json());
            const Json complete = json["mark"].value("complete", Json());
            mark.name = safe_name(json["name"].get<std::string>());
            if (!mark.name.empty() && offset.is_number_unsigned() && complete.is_number_unsigned()) {
                mark.offset = offset.get<std::uint64_t>();
                mark.complete = complete.get<std::uint32_t>();
                return mark;
            }
        }
        return kmd::Error{"expected the header of a dump, a line of JSON with kmemdump-md, name and mark"};
    }

    std::optional<kmd::Error> set(int file) const
    {
        const off_t size = ::lseek(file, 0, SEEK_END);
        if (size < 0 || offset > static_cast<std::uint64_t>(size) ||
            static_cast<std::uint64_t>(size) - offset < 4) {
            return kmd::Error{"expected the mark to be inside the dump"};
        }
        const std::array<unsigned char, 4> bytes = {
            static_cast<unsigned char>(complete), static_cast<unsigned char>(complete >> 8),
            static_cast<unsigned char>(complete >> 16), static_cast<unsigned char>(complete >> 24)};
        if (::fsync(file) != 0 ||
            ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)) != ssize_t(bytes.size()) ||
            ::fsync(file) != 0) {
            return kmd::Error{"cannot mark the dump complete: " + os_error()};
        }
        return std::nullopt;
    }
};

/// A stored trailer, still under its incomplete name.
struct DumpStream::Trailer {
    std::string name;
    bool complete = false;
};

/// Waits for data. False if the sender took too long; then `late_` says why.
bool DumpStream::wait()
{
    if (!dump_ends_) {
        return true;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*dump_ends_ - Clock::now());
    const auto at_most = std::min<std::chrono::milliseconds>(left, limits_.silence);
    pollfd wanted{descriptor_, POLLIN, 0};
    int ready = 0;
    if (at_most.count() > 0) {
        do {
            ready = ::poll(&wanted, 1, static_cast<int>(at_most.count()));
        } while (ready < 0 && errno == EINTR);
    }
    if (ready == 0) {
        late_ =
            left > limits_.silence
                ? "nothing came for " + std::to_string(limits_.silence.count()) + " seconds"
                : "the dump was not complete after " + std::to_string(limits_.dump_time.count()) + " seconds";
    }
    return ready > 0;
}

bool DumpStream::fill()
{
    if (!wait()) {
        return false;
    }
    buffered_.erase(0, taken_);
    taken_ = 0;
    std::array<char, 65536> bytes;
    ssize_t size = 0;
    do {
        size = ::read(descriptor_, bytes.data(), bytes.size());
    } while (size < 0 && errno == EINTR);
    buffered_.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return size > 0;
}

kmd::Error DumpStream::ended(const std::string& expected) const
{
    return {"expected " + expected + (late_.empty() ? "" : ": " + late_)};
}

std::optional<std::string> DumpStream::read_line(std::size_t longest)
{
    std::size_t searched = 0;
    for (;;) {
        const std::size_t end = pending().substr(0, longest + 1).find('\n', searched);
        if (end != std::string::npos) {
            std::string line(pending().substr(0, end));
            taken_ += end + 1;
            return line;
        }
        searched = pending().size();
        if (searched > longest || !fill()) {
            return std::nullopt;
        }
    }
}

/// Counts bytes that are about to be stored. An error if that would exceed a limit.
std::optional<kmd::Error> DumpStream::count(std::uint64_t bytes)
{
    const std::uint64_t before = std::max(dump_bytes_, kLeastCounted);
    dump_bytes_ += bytes;
    if (dump_bytes_ > limits_.dump_bytes) {
        return kmd::Error{"expected a dump of at most " + std::to_string(limits_.dump_bytes) +
                          " bytes (--max-bytes), the sender has more"};
    }
    const std::uint64_t more = std::max(dump_bytes_, kLeastCounted) - before;
    if (stored_->fetch_add(more) + more > limits_.total_bytes) {
        stored_->fetch_sub(more);
        return kmd::Error{"expected at most " + std::to_string(limits_.total_bytes) +
                          " bytes in all (--max-total), there are more: move dumps away and start again"};
    }
    return std::nullopt;
}

std::optional<kmd::Error> DumpStream::copy_chunks(int file)
{
    std::string block;
    for (;;) {
        const auto length = chunk_length(read_line(16));
        if (!length) {
            write_all(file, block);
            return ended("the length of a chunk, in hexadecimal and at most 1 MiB");
        }
        std::size_t left = *length;
        if (auto error = count(left)) {
            return error;
        }
        if (left == 0 || block.size() >= kBlock) {
            if (auto error = write_all(file, block); error || left == 0) {
                return error;
            }
            block.clear();
        }
        while (left > 0) {
            if (pending().empty() && !fill()) {
                write_all(file, block);
                return ended(std::to_string(left) + " more bytes of a chunk, but the stream ended");
            }
            const auto now = pending().substr(0, left);
            block += now;
            left -= now.size();
            taken_ += now.size();
        }
    }
}

/// Copies the rest of the line.
std::optional<kmd::Error> DumpStream::copy_trailer(int file)
{
    JsonBounds bounds({});
    std::size_t size = 0;
    for (bool complete = false; !complete;) {
        if (pending().empty() && !fill()) {
            return ended("the trailer of a dump, a line of JSON");
        }
        const auto line = pending().substr(0, pending().find('\n'));
        complete = line.size() < pending().size();
        size += line.size();
        if (size > kLongestTrailer) {
            return kmd::Error{"expected the trailer of a dump, a line of at most 64 MiB of JSON"};
        }
        auto error = bounds.feed(line);
        error = error ? error : count(line.size());
        error = error ? error : write_all(file, line);
        if (error) {
            return kmd::Error{"the trailer of the dump: " + error->what};
        }
        taken_ += line.size() + (complete ? 1 : 0);
    }
    return write_all(file, "\n");
}

/// Stores the trailer of the dump `name` and reads its result.
kmd::Result<DumpStream::Trailer> DumpStream::read_trailer(int folder, const std::string& name)
{
    Trailer trailer{name + ".json" + kIncomplete};
    const auto refuse = [&](kmd::Error error) {
        ::unlinkat(folder, trailer.name.c_str(), 0);
        return error;
    };
    const Descriptor fd(
        ::openat(folder, trailer.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) {
        return kmd::Error{"cannot create " + trailer.name + ": " + os_error()};
    }
    if (auto error = copy_trailer(fd.get())) {
        return refuse(*error);
    }
    const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
    const std::unique_ptr<std::FILE, CloseFile> file(copy >= 0 ? ::fdopen(copy, "r") : nullptr);
    if (!file || ::fsync(fd.get()) != 0) {
        return refuse({"cannot write " + trailer.name + ": " + os_error()});
    }
    std::rewind(file.get());
    const auto result = read_result(file.get());
    if (!result) {
        return refuse({"expected the trailer of a dump, a line of JSON"});
    }
    trailer.complete = result == "complete" || result == "partial";
    return trailer;
}

kmd::Result<std::optional<ReceivedDump>> DumpStream::receive(const std::string& folder)
{
    dump_ends_.reset();
    dump_bytes_ = 0;
    if (pending().empty() && !fill()) {
        return std::optional<ReceivedDump>();
    }
    dump_ends_ = Clock::now() + limits_.dump_time;
    const auto mark = Mark::parse(read_line(kLongestHeader).value_or(""));
    if (!mark) {
        return late_.empty() ? mark.error() : ended("the header of a dump");
    }
    const Descriptor folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_fd) {
        return kmd::Error{"cannot open the folder " + folder + ": " + os_error()};
    }
    if (stored_->fetch_add(kLeastCounted) + kLeastCounted > limits_.total_bytes) {
        stored_->fetch_sub(kLeastCounted);
        return kmd::Error{"expected at most " + std::to_string(limits_.total_bytes) +
                          " bytes in all (--max-total), there are more: move dumps away and start again"};
    }
    auto file = create_for(folder_fd.get(), mark.value().name);
    if (!file) {
        return file.error();
    }
    if (auto error = copy_chunks(file.value().fd.get())) {
        return *error;
    }
    const auto trailer = read_trailer(folder_fd.get(), file.value().name);
    if (!trailer) {
        return trailer.error();
    }
    const bool complete = trailer.value().complete;
    const std::string name = file.value().name + (complete ? "" : kIncomplete);
    auto error = complete ? mark.value().set(file.value().fd.get()) : std::nullopt;
    error = error ? error : rename_new(folder_fd.get(), trailer.value().name, name + ".json");
    if (!error && complete) {
        error = rename_new(folder_fd.get(), file.value().name + kIncomplete, name);
    }
    if (error) {
        ::unlinkat(folder_fd.get(), trailer.value().name.c_str(), 0);
        return *error;
    }
    ::fsync(folder_fd.get());
    return std::optional(ReceivedDump{folder + "/" + name, complete});
}

} // namespace kmdump
