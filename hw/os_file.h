// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files of the host.
#pragma once

#include "byte_sink.h"

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace kmd
{

/// What errno says.
std::string os_error();

/// An open file descriptor that is closed when it goes out of scope.
class Descriptor
{
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
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

/// Invalid, with errno set, when `folder` is none or cannot be opened.
Descriptor open_folder(const std::string& folder);

/// A file for its owner only, whatever the umask, that did not exist. Invalid, with errno set, when it
/// cannot be made.
Descriptor create_file(int folder, const std::string& name);

/// What becomes of a file that has the final name already.
enum class Existing { kKeep, kReplace };

/// False, with errno set, when it failed, also because there is a file to keep.
bool rename_in(int folder, const std::string& from, const std::string& to, Existing existing);

/// Turns the signal that a write past RLIMIT_FSIZE raises, which would end the process, into the
/// error EFBIG.
class FileSizeSignalBlocked
{
  public:
    FileSizeSignalBlocked();
    FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
    FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;
    ~FileSizeSignalBlocked();

  private:
    sigset_t signal_;
    sigset_t before_;
};

/// Writes to a descriptor, which outlives it, without copying.
class FileBytes final : public ByteSink
{
  public:
    explicit FileBytes(int fd) : fd_(fd) {}

    std::optional<std::string> write(Pieces pieces) override;
    std::uint64_t written() const override { return written_; }

  private:
    int fd_;
    std::uint64_t written_ = 0;
};

} // namespace kmd
