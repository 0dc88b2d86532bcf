// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/os_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

namespace kmd
{

namespace
{

/// False if another writer holds the lock.
bool lock(int fd)
{
    return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/// Removes a file that nobody writes any more. False if somebody does or it cannot be removed.
bool remove_abandoned(int folder, const std::string& name)
{
    const Descriptor fd(::openat(folder, name.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
        return errno == ENOENT || (errno == ELOOP && ::unlinkat(folder, name.c_str(), 0) == 0);
    }
    return lock(fd.get()) && is_name_of(folder, name, fd.get()) && ::unlinkat(folder, name.c_str(), 0) == 0;
}

} // namespace

Descriptor open_folder(const std::string& folder)
{
    return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Descriptor create_file(int folder, const std::string& name)
{
    Descriptor fd(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd && ::fchmod(fd.get(), 0600) != 0) {
        const int cause = errno;
        ::unlinkat(folder, name.c_str(), 0);
        errno = cause;
        return Descriptor();
    }
    return fd;
}

bool is_name_of(int folder, const std::string& name, int fd)
{
    struct stat named;
    struct stat open;
    return ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(fd, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

Descriptor claim_file(int folder, const std::string& name)
{
    if (!remove_abandoned(folder, name)) {
        errno = EEXIST;
        return Descriptor();
    }
    Descriptor fd = create_file(folder, name);
    // Another writer may have mistaken it for abandoned before it was locked.
    if (fd && !(lock(fd.get()) && is_name_of(folder, name, fd.get()))) {
        errno = EEXIST;
        return Descriptor();
    }
    return fd;
}

FolderLock::FolderLock(int folder) : folder_(folder)
{
    constexpr auto kPause = std::chrono::milliseconds(1);
    constexpr int kMostPauses = 1000;
    for (int i = 0; i < kMostPauses && !lock(folder_); ++i) {
        std::this_thread::sleep_for(kPause);
    }
}

FolderLock::~FolderLock()
{
    ::flock(folder_, LOCK_UN);
}

bool rename_in(int folder, const std::string& from, const std::string& to, Existing existing)
{
    const unsigned flags = existing == Existing::kKeep ? RENAME_NOREPLACE : 0;
    if (::renameat2(folder, from.c_str(), folder, to.c_str(), flags) == 0) {
        return true;
    }
    // Some network file systems do not support RENAME_NOREPLACE; the earlier check of the folder has to
    // suffice there.
    return errno == EINVAL && ::renameat(folder, from.c_str(), folder, to.c_str()) == 0;
}

FileSizeSignalBlocked::FileSizeSignalBlocked()
{
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signal_, &before_);
}

FileSizeSignalBlocked::~FileSizeSignalBlocked()
{
    if (!sigismember(&before_, SIGXFSZ)) {
        const timespec now{};
        while (sigtimedwait(&signal_, nullptr, &now) == SIGXFSZ) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<std::string> FileBytes::write(Pieces pieces)
{
    // `skip`: bytes of the first piece that are already written.
    std::size_t first = 0;
    std::size_t skip = 0;
    const auto skip_written_pieces = [&] {
        while (first < pieces.size() && skip >= pieces[first].size()) {
            skip -= pieces[first].size();
            ++first;
        }
    };
    skip_written_pieces();
    while (first < pieces.size()) {
        std::array<iovec, IOV_MAX> vector;
        std::size_t count = 0;
        for (std::size_t i = first; i < pieces.size() && count < vector.size(); ++i, ++count) {
            const auto bytes = pieces[i].subspan(i == first ? skip : 0);
            vector[count] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
        }
        const ssize_t now =
            ::pwritev(fd_, vector.data(), static_cast<int>(count), static_cast<off_t>(position_));
        if (now < 0 && errno == EINTR) {
            continue;
        }
        if (now <= 0) {
            return now < 0 ? os_error() : "the host wrote nothing";
        }
        stored_ += static_cast<std::uint64_t>(now);
        position_ += static_cast<std::uint64_t>(now);
        written_ = position_;
        skip += static_cast<std::size_t>(now);
        skip_written_pieces();
    }
    return std::nullopt;
}

} // namespace kmd
