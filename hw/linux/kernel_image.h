// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's image behind its code: where a kernel without names of its data is searched for them.
#pragma once

#include "hw/linux/kernel_memory.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kmd
{

class KernelImage
{
  public:
    /// Half as much again as a kernel of a distribution has behind its code. Bytes.
    static constexpr std::size_t kMostBytes = 32 << 20;

    /// Reads it from `begin` on, a kernel virtual address behind the last function.
    static KernelImage read(const LiveKernelMemory& memory, std::uint64_t begin);

    std::uint64_t begin() const { return begin_; }
    /// Pages that are not mapped are zeros.
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::uint64_t begin_ = 0;
    std::vector<std::byte> bytes_;
};

} // namespace kmd
