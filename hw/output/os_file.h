// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files of the host.
#pragma once

#include "common/descriptor.h"
#include "hw/output/byte_sink.h"

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// Invalid, with errno set, when `folder` is none or cannot be opened.
Descriptor open_folder(const std::string& folder);

/// A file for its owner only, whatever the umask, that did not exist. Invalid, with errno set, when it
/// cannot be made.
Descriptor create_file(int folder, const std::string& name);

/// Whether `name` is what the descriptor refers to, and not something that took its place.
bool is_name_of(int folder, const std::string& name, int fd);

/// create_file() for a name that several writers want: what one that is gone left there is removed, what
/// one that lives writes to is not. Invalid, with errno set, when it cannot be made; EEXIST: a writer has it.
/// The name belongs to the caller as long as the descriptor is open. File systems without locks cannot tell
/// the two kinds of writers apart.
Descriptor claim_file(int folder, const std::string& name);

/// Of the writers that replace the same file, one at a time: from its construction to its end. One that
/// stands still would hold the guest, so it is waited for only as long as a disk may take; is_name_of() tells
/// what happened after that.
class FolderLock
{
  public:
    explicit FolderLock(int folder);
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

  private:
    int folder_;
};

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
