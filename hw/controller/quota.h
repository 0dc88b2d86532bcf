// SPDX-License-Identifier: GPL-2.0-or-later
//
// Limits what a guest may use until power-off: attempts, files and bytes (max-dumps, max-bytes). Requests of
// the user are not counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

class Quota
{
  public:
    /// 0: no limit.
    Quota(std::uint64_t max_dumps, std::uint64_t max_bytes) : max_dumps_(max_dumps), max_bytes_(max_bytes) {}

    /// Why the guest gets no further attempt; none if it gets one.
    std::optional<std::string> why_no_attempt() const;

    /// Whether the limits leave room for another attempt, if what it saves is small enough.
    bool admits() const { return !why_no_attempt() && room() > 0; }

    /// Counts an attempt, which allocates memory and stops the machine, until charge_file().
    void begin_attempt() { ++attempts_without_file_; }
    /// The attempt wrote a file, complete or not. `bytes`: its size and that of its sidecar.
    void charge_file(std::uint64_t bytes);

    /// Whether another file of a kernel's types may be made. A guest can claim to be another kernel each
    /// time.
    bool admits_types() const { return types_files_ < kMostTypesFiles; }
    void charge_types(std::uint64_t bytes)
    {
        ++types_files_;
        bytes_ += bytes;
    }

    /// Bytes that the guest may still use.
    std::uint64_t room() const;
    bool limits_bytes() const { return max_bytes_ != 0; }

    std::uint64_t files() const { return files_; }
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t max_dumps() const { return max_dumps_; }
    std::uint64_t max_bytes() const { return max_bytes_; }

    /// More kernels than a guest boots between two power-offs, kexec included.
    static constexpr unsigned kMostTypesFiles = 4;

  private:
    std::uint64_t max_dumps_;
    std::uint64_t max_bytes_;
    std::uint64_t files_ = 0;
    std::uint64_t bytes_ = 0;
    /// Attempts that wrote no file.
    std::uint64_t attempts_without_file_ = 0;
    unsigned types_files_ = 0;
};

} // namespace kmd
