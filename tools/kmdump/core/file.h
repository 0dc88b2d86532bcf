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
    /// An error if the file cannot be opened or is not a regular file. `expected` names the file for the
    /// message.
    static kmd::Result<File> open(const std::string& path, const char* expected = "an ELF core image");

    /// Takes ownership of an open descriptor, also on error.
    static kmd::Result<File> adopt(int descriptor, const char* expected = "a regular file");

    /// Fills `out` from `offset` on. False if the file ends earlier or cannot be read.
    bool read(std::uint64_t offset, std::span<std::byte> out) const;

    /// Bytes of the file when it was opened.
    std::uint64_t size() const { return size_; }

    /// Bytes outside holes. Takes time proportional to the number of holes.
    std::uint64_t stored_bytes() const;

    /// How many bytes from `offset` on are a hole. Without data behind it the result may exceed the rest
    /// of the file.
    std::uint64_t hole_at(std::uint64_t offset) const;

    /// This object keeps ownership.
    int descriptor() const { return descriptor_.get(); }

  private:
    explicit File(int descriptor) : descriptor_(descriptor) {}

    kmd::Descriptor descriptor_;
    std::uint64_t size_ = 0;
};

} // namespace kmdump
