// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file in which long runs of zeros are holes: they are neither written nor stored.
#pragma once

#include "hw/output/os_file.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

class SparseFile final : public ByteSink
{
  public:
    /// The unit of holes, in bytes of the file. Four of them or more that are zeros are one.
    static constexpr std::uint64_t kPage = 4096;

    /// Writes to an empty file that is to have `size` bytes; `fd` outlives it. The file grows only by bytes
    /// that are written behind a hole, and its last page is always written: whenever the process is killed,
    /// the file is correct up to its end.
    SparseFile(int fd, std::uint64_t size) : fd_(fd), size_(size), file_(fd) {}

    std::optional<std::string> write(Pieces pieces) override;
    std::uint64_t written() const override { return file_.written(); }
    /// On a file system that has no holes, the same as written().
    std::uint64_t stored() const override { return file_.stored() + not_holes_; }

  private:
    std::optional<std::string> add(std::span<const std::byte> piece);
    /// Adds whole pages of the file.
    std::optional<std::string> add_pages(std::span<const std::byte> pages);
    std::optional<std::string> add_data(std::span<const std::byte> data);
    std::optional<std::string> add_zeros(std::span<const std::byte> zeros);
    /// Makes a hole in the first of the pages of zeros and looks what becomes of it. Returns how many bytes
    /// it consumed.
    std::uint64_t try_hole(std::span<const std::byte> zeros, std::optional<std::string>& failure);
    std::optional<std::string> flush();

    int fd_;
    std::uint64_t size_;
    FileBytes file_;
    /// Whether the file system makes holes; none until one was tried.
    std::optional<bool> makes_holes_;
    /// Bytes of tried holes that are none.
    std::uint64_t not_holes_ = 0;
    /// Bytes of the plan so far.
    std::uint64_t at_ = 0;
    /// Not written yet.
    std::vector<std::span<const std::byte>> data_;
};

} // namespace kmd
