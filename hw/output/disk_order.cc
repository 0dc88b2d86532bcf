// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/disk_order.h"

#include "common/descriptor.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace kmd
{

namespace
{

/// Whether the file system changes blocks in place and has a journal of names that flushes the disk.
bool flushes_before_names(int fd)
{
    struct statfs about;
    return ::fstatfs(fd, &about) == 0 &&
           (about.f_type == EXT4_SUPER_MAGIC || about.f_type == XFS_SUPER_MAGIC);
}

} // namespace

void start_writing(int fd)
{
    (void)::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

std::optional<std::string> send_to_disk(int fd)
{
    constexpr unsigned kWait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (::sync_file_range(fd, 0, 0, kWait) == 0) {
        return std::nullopt;
    }
    // An error of the disk is reported only once. Others say that there is no such function here.
    const bool failed = errno == EIO || errno == ENOSPC || errno == EDQUOT;
    return failed || ::fdatasync(fd) != 0 ? std::optional(os_error()) : std::nullopt;
}

std::optional<std::string> order_before_names(int fd)
{
    if (flushes_before_names(fd)) {
        return send_to_disk(fd);
    }
    return ::fdatasync(fd) == 0 ? std::nullopt : std::optional(os_error());
}

} // namespace kmd
