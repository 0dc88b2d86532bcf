// SPDX-License-Identifier: GPL-2.0-or-later
#include "dump_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
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
constexpr std::size_t kLongestName = 200;
constexpr unsigned kMostNamesakes = 9999;

constexpr const char* kIncomplete = ".incomplete";

using Json = nlohmann::json;

std::string os_error()
{
    return std::strerror(errno);
}

class Descriptor
{
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor()
    {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// The name is the sender's: no part of it may be a path.
std::string safe_name(std::string name)
{
    name.resize(std::min(name.size(), kLongestName));
    for (char& c : name) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        c = plain || std::string_view("._-+").find(c) != std::string_view::npos ? c : '_';
    }
    if (name.starts_with('.')) {
        name[0] = '_';
    }
    return name;
}

struct NewFile {
    Descriptor fd;
    std::string name;
};

Descriptor create(int folder, const std::string& name)
{
    return Descriptor(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/// Several machines can send dumps of the same name: the later ones get a number in front.
kmd::Result<NewFile> create_for(int folder, const std::string& wanted)
{
    for (unsigned i = 1; i <= kMostNamesakes; ++i) {
        std::string name = i == 1 ? wanted : std::to_string(i) + "-" + wanted;
        const std::string incomplete = name + kIncomplete;
        Descriptor fd = create(folder, incomplete);
        if (!fd && errno != EEXIST) {
            break;
        }
        if (!fd) {
            continue;
        }
        // Who has the incomplete name is the only one that can take the final one, if it is free by now.
        if (::faccessat(folder, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
            return NewFile{std::move(fd), std::move(name)};
        }
        ::unlinkat(folder, incomplete.c_str(), 0);
    }
    return kmd::Error{"cannot create " + wanted + ": " + os_error()};
}

std::optional<kmd::Error> write_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t now = ::write(fd, bytes.data(), bytes.size());
        if (now < 0 && errno != EINTR) {
            return kmd::Error{"cannot write the dump: " + os_error()};
        }
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(now, 0)));
    }
    return std::nullopt;
}

std::optional<kmd::Error> rename_new(int folder, const std::string& from, const std::string& to)
{
    if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) != 0) {
        return kmd::Error{"cannot rename " + from + " to " + to + ": " + os_error()};
    }
    return std::nullopt;
}

std::optional<kmd::Error> write_text(int folder, const std::string& name, const std::string& text)
{
    const Descriptor fd = create(folder, name + kIncomplete);
    if (!fd) {
        return kmd::Error{"cannot create " + name + ": " + os_error()};
    }
    auto error = write_all(fd.get(), text);
    if (!error && ::fsync(fd.get()) != 0) {
        error = kmd::Error{"cannot write " + name + ": " + os_error()};
    }
    return error ? error : rename_new(folder, name + kIncomplete, name);
}

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

/// What a receiver changes in a dump that is complete.
struct DumpStream::Mark {
    std::string name;
    std::uint64_t offset = 0;
    std::uint32_t complete = 0;

    static kmd::Result<Mark> parse(const std::string& line)
    {
        const auto json = Json::parse(line, nullptr, false);
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

bool DumpStream::fill()
{
    std::array<char, 65536> bytes;
    ssize_t size = 0;
    do {
        size = ::read(descriptor_, bytes.data(), bytes.size());
    } while (size < 0 && errno == EINTR);
    buffered_.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return size > 0;
}

std::optional<std::string> DumpStream::read_line(std::size_t longest)
{
    std::size_t searched = 0;
    for (;;) {
        const std::size_t end = buffered_.find('\n', searched);
        if (end != std::string::npos) {
            std::string line = buffered_.substr(0, end);
            buffered_.erase(0, end + 1);
            return line;
        }
        searched = buffered_.size();
        if (searched > longest || !fill()) {
            return std::nullopt;
        }
    }
}

std::optional<kmd::Error> DumpStream::copy_chunks(int file)
{
    for (;;) {
        const auto length = chunk_length(read_line(16));
        if (!length) {
            return kmd::Error{"expected the length of a chunk, in hexadecimal and at most 1 MiB"};
        }
        std::size_t left = *length;
        if (left == 0) {
            return std::nullopt;
        }
        while (left > 0) {
            if (buffered_.empty() && !fill()) {
                return kmd::Error{"expected " + std::to_string(left) +
                                  " more bytes of a chunk, the stream ends"};
            }
            const std::size_t now = std::min(left, buffered_.size());
            if (auto error = write_all(file, std::string_view(buffered_).substr(0, now))) {
                return error;
            }
            buffered_.erase(0, now);
            left -= now;
        }
    }
}

kmd::Result<std::optional<ReceivedDump>> DumpStream::receive(const std::string& folder)
{
    if (buffered_.empty() && !fill()) {
        return std::optional<ReceivedDump>();
    }
    const auto mark = Mark::parse(read_line(kLongestHeader).value_or(""));
    if (!mark) {
        return mark.error();
    }
    const Descriptor folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_fd) {
        return kmd::Error{"cannot open the folder " + folder + ": " + os_error()};
    }
    auto file = create_for(folder_fd.get(), mark.value().name);
    if (!file) {
        return file.error();
    }
    if (auto error = copy_chunks(file.value().fd.get())) {
        return *error;
    }
    const auto trailer = read_line(kLongestTrailer);
    const auto json = Json::parse(trailer.value_or(""), nullptr, false);
    if (!json.is_object()) {
        return kmd::Error{"expected the trailer of a dump, a line of JSON"};
    }
    const Json result = json.value("result", Json());
    const bool complete = result == "complete" || result == "partial";
    std::string name = file.value().name + (complete ? "" : kIncomplete);
    if (complete) {
        auto error = mark.value().set(file.value().fd.get());
        if (!error) {
            error = rename_new(folder_fd.get(), file.value().name + kIncomplete, name);
        }
        if (error) {
            return *error;
        }
    }
    if (auto error = write_text(folder_fd.get(), name + ".json",
                                json.dump(1, ' ', true, Json::error_handler_t::replace) + "\n")) {
        return *error;
    }
    ::fsync(folder_fd.get());
    return std::optional(ReceivedDump{folder + "/" + name, complete});
}

} // namespace kmdump
