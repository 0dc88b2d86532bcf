// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files on the host.
#pragma once

#include "common/descriptor.h"
#include "hw/output/byte_sink.h"

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// What is not complete has this at the end of its name.
inline constexpr const char* kIncompleteSuffix = ".incomplete";

/// Invalid, with errno set, if `folder` is not a folder or cannot be opened.
Descriptor open_folder(const std::string& folder);

/// Creates a file, which must not exist, for its owner only, whatever the umask. Invalid, with errno set, if
/// that fails.
Descriptor create_file(int folder, const std::string& name);

/// Whether `name` still refers to the open file and has not been replaced.
bool is_name_of(int folder, const std::string& name, int fd);

/// create_file() for a name that several writers use. Removes a file that a dead writer left, but not one
/// that a live writer uses. Invalid, with errno set, if that fails; EEXIST: another writer has the name. The
/// name belongs to the caller while the descriptor is open. File systems without locks cannot tell dead and
/// live writers apart.
Descriptor claim_file(int folder, const std::string& name);

/// Serialises the writers that replace the same file, during its lifetime. Waits for the lock only as long as
/// a disk may take, because a stuck writer would stop the guest; is_name_of() detects conflicts after that.
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

/// What to do with a file that already has the final name.
enum class Existing { kKeep, kReplace };

/// False, with errno set, on failure, including a file to keep.
bool rename_in(int folder, const std::string& from, const std::string& to, Existing existing);

/// Makes a write past RLIMIT_FSIZE fail with EFBIG instead of raising a signal that ends the process.
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

/// Writes to an empty file, which outlives it, without copying.
class FileBytes final : public ByteSink
{
  public:
    explicit FileBytes(int fd) : fd_(fd) {}

    std::optional<std::string> write(Pieces pieces) override;
    std::uint64_t written() const override { return written_; }
    std::uint64_t stored() const override { return stored_; }

    /// Leaves out bytes. They become a hole, which reads as zeros, when something is written behind them.
    void skip(std::uint64_t bytes) { position_ += bytes; }
    /// Where the next byte is written, in bytes from the start of the file.
    std::uint64_t position() const { return position_; }

  private:
    int fd_;
    std::uint64_t position_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t stored_ = 0;
};

} // namespace kmd
