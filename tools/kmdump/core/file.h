// SPDX-License-Identifier: GPL-2.0-or-later
//
// A regular file, open for reading.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace kmdump
{

class File
{
  public:
    /// An error when it cannot be opened or is not a regular file; `expected` is what it should have been.
    static kmd::Result<File> open(const std::string& path, const char* expected = "an ELF core image");

    /// Takes over an open descriptor.
    static kmd::Result<File> adopt(int descriptor, const char* expected = "a regular file");

    /// Fills `out` from `offset` on, in bytes. False when the file does not hold all of it or
    /// cannot be read.
    bool read(std::uint64_t offset, std::span<std::byte> out) const;

    /// In bytes, when it was opened.
    std::uint64_t size() const { return size_; }

    /// Bytes that are stored, holes left out. In time of the number of holes.
    std::uint64_t stored_bytes() const;

    /// How many bytes from `offset` on are a hole; as much as one likes when no data follow.
    std::uint64_t hole_at(std::uint64_t offset) const;

    /// Stays owned by this object.
    int descriptor() const { return descriptor_.get(); }

  private:
    explicit File(int descriptor) : descriptor_(descriptor) {}

    kmd::Descriptor descriptor_;
    std::uint64_t size_ = 0;
};

} // namespace kmdump
