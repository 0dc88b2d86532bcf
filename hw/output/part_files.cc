// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/part_files.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>

namespace kmd
{

namespace
{

/// Whether syncfs() writes the files of a folder to the disk. It waits for the disk once instead of once for
/// each file, while the guest is stopped. File systems in user space ignore it.
bool is_synced_as_a_whole(int folder)
{
    struct statfs about;
    return ::fstatfs(folder, &about) == 0 && about.f_type != FUSE_SUPER_MAGIC;
}

} // namespace

PartFiles::PartFiles(int folder, std::span<const Part> parts, int first)
    : folder_(folder), parts_(parts), fd_(first), left_(parts.front().size),
      together_(is_synced_as_a_whole(folder))
{
    file_.emplace(first, left_);
}

std::optional<std::string> PartFiles::write(Pieces pieces)
{
    for (auto piece : pieces) {
        while (!piece.empty()) {
            if (auto failure = begin_part_with_room()) {
                return failure;
            }
            const auto now = piece.first(std::min<std::uint64_t>(left_, piece.size()));
            if (auto failure = file_->write(Pieces(&now, 1))) {
                return failure;
            }
            left_ -= now.size();
            piece = piece.subspan(now.size());
        }
    }
    return std::nullopt;
}

std::optional<std::string> PartFiles::finish()
{
    const bool done = together_ ? ::syncfs(folder_) == 0 : ::fsync(fd_) == 0 && ::fsync(folder_) == 0;
    return done ? std::nullopt : std::optional(os_error());
}

std::optional<std::string> PartFiles::begin_part_with_room()
{
    while (left_ == 0) {
        if (!together_ && ::fsync(fd_) != 0) {
            return os_error();
        }
        written_ = written();
        stored_ = stored();
        ++current_;
        own_ = create_file(folder_, parts_[current_].name);
        auto failure = own_ ? std::nullopt : std::optional(os_error());
        fd_ = own_.get();
        left_ = parts_[current_].size;
        file_.emplace(fd_, left_);
        if (failure) {
            return failure;
        }
    }
    return std::nullopt;
}

} // namespace kmd
