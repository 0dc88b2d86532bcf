// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files of a dump that is a folder.
#pragma once

#include "hw/image/plan.h"
#include "hw/output/sparse_file.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kmd
{

/// Splits the bytes of a plan into its parts, one file each.
class PartFiles final : public ByteSink
{
  public:
    /// `first`: the empty file of the first part. It and the folder outlive this object.
    PartFiles(int folder, std::span<const Part> parts, int first);

    std::optional<std::string> write(Pieces pieces) override;
    std::uint64_t written() const override { return written_ + file_->written(); }
    std::uint64_t stored() const override { return stored_ + file_->stored(); }

    /// Writes all parts and their names to the disk, and waits for it.
    std::optional<std::string> finish();

  private:
    std::optional<std::string> begin_part_with_room();

    int folder_;
    std::span<const Part> parts_;
    std::size_t current_ = 0;
    Descriptor own_;
    int fd_;
    /// The current part, and how many of its bytes are still to come.
    std::optional<SparseFile> file_;
    std::uint64_t left_;
    /// Bytes of the parts before the current one.
    std::uint64_t written_ = 0;
    std::uint64_t stored_ = 0;
    bool together_;
};

} // namespace kmd
