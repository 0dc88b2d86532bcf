// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pages of the kernel's objects that a dump has to contain, each once.
#pragma once

#include "hw/linux/kernel_memory.h"
#include "hw/memory/region.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace kmd
{

class PageSet
{
  public:
    /// What a dump may have of a kernel: 64 MiB with pages of 4 KiB.
    static constexpr std::size_t kMostPages = 16384;

    /// `most_pages`: further ones are counted and left out. `memory` outlives the object.
    explicit PageSet(const LiveKernelMemory& memory, std::size_t most_pages = kMostPages)
        : memory_(&memory), most_pages_(most_pages)
    {
    }

    /// Adds the pages of an object of `size` bytes at a kernel virtual address, valid or not. Pages that are
    /// not mapped to RAM are skipped; without its first page it is not an object.
    void add(std::uint64_t address, std::uint64_t size);

    std::size_t size() const { return pages_.size(); }

    /// Number of pages for which there was no room.
    std::uint32_t left_out() const { return left_out_; }

    /// Neighbouring pages are one region. Ascending virtual addresses. Names and identifiers are empty.
    std::vector<Region> regions() const;

  private:
    const LiveKernelMemory* memory_;
    std::size_t most_pages_;
    /// Guest-physical address of each page by its virtual one.
    std::map<std::uint64_t, std::uint64_t> pages_;
    std::uint32_t left_out_ = 0;
};

} // namespace kmd
