// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace kmdump
{

namespace
{

kmd::Error cannot_be_opened()
{
    return {"cannot be opened: " + std::generic_category().message(errno)};
}

} // namespace

kmd::Result<File> File::open(const std::string& path, const char* expected)
{
    // O_NONBLOCK: opening a FIFO must not block; it is refused below.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        return cannot_be_opened();
    }
    return adopt(descriptor, expected);
}

kmd::Result<File> File::adopt(int descriptor, const char* expected)
{
    File file(descriptor);
    struct stat status {
    };
    if (::fstat(descriptor, &status) != 0) {
        return cannot_be_opened();
    }
    if (!S_ISREG(status.st_mode)) {
        return kmd::Error{"expected " + std::string(expected) +
                          ", found something that is not a regular file"};
    }
    file.size_ = static_cast<std::uint64_t>(status.st_size);
    return file;
}

std::uint64_t File::stored_bytes() const
{
    std::uint64_t stored = 0;
    off_t at = 0;
    while ((at = ::lseek(descriptor_.get(), at, SEEK_DATA)) >= 0) {
        const off_t end = ::lseek(descriptor_.get(), at, SEEK_HOLE);
        if (end <= at) {
            return size_; // the file system does not support holes
        }
        stored += static_cast<std::uint64_t>(end - at);
        at = end;
    }
    return errno == ENXIO ? std::min(stored, size_) : size_;
}

std::uint64_t File::hole_at(std::uint64_t offset) const
{
    const off_t data = ::lseek(descriptor_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0) {
        return errno == ENXIO ? size_ : 0;
    }
    return static_cast<std::uint64_t>(data) - offset;
}

bool File::read(std::uint64_t offset, std::span<std::byte> out) const
{
    if (offset > size_ || out.size() > size_ - offset) {
        return false;
    }
    while (!out.empty()) {
        const ssize_t got = ::pread(descriptor_.get(), out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        out = out.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return true;
}

} // namespace kmdump
