// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's memory by kernel virtual address.
#pragma once

#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"
#include "kmdump/kernel/page_walk.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace kmdump
{

/// Reads by the virtual addresses of the core image. Images that know only physical ones, as QEMU's
/// dump-guest-memory writes them, are read through what the kernel's vmcoreinfo says of its fixed
/// mappings, the linear map and the kernel image, and through its page tables.
class KernelMemory
{
  public:
    /// `core` must outlive this object.
    KernelMemory(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo);

    /// Fills `out`. False when some of it is not in the core image.
    bool read(std::uint64_t address, std::span<std::byte> out) const;

    /// A little-endian number. Nothing when it is not in the core image.
    std::optional<std::uint64_t> read_u64(std::uint64_t address) const;
    std::optional<std::uint32_t> read_u32(std::uint64_t address) const;

    /// Fills the begin of `out`. Returns how many bytes, 0 when the first is not in the core image; fewer
    /// than `out` has say nothing about the next one.
    std::size_t read_some(std::uint64_t address, std::span<std::byte> out) const;

    /// No array of the kernel can be larger, in bytes: what the core image stores, and room for holes.
    /// Where it is stored it may take next to nothing, whatever it claims to have.
    std::uint64_t size_limit() const { return size_limit_; }

  private:
    std::optional<std::uint64_t> to_physical(std::uint64_t address) const;
    bool read_by_pages(std::uint64_t address, std::span<std::byte> out) const;

    const CoreFile* core_;
    PageWalk page_walk_;
    std::uint64_t size_limit_;
};

} // namespace kmdump
