// SPDX-License-Identifier: GPL-2.0-or-later
//
// The guest's memory by kernel virtual address.
#pragma once

#include "common/linux/virtual_memory.h"
#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"
#include "kmdump/kernel/page_walk.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace kmdump
{

/// Uses the virtual addresses of the core image. For images with only physical ones, such as those of QEMU's
/// dump-guest-memory, it translates with the linear map and the kernel image mapping from vmcoreinfo, and
/// with the kernel's page tables.
class KernelMemory final : public kmd::VirtualMemory
{
  public:
    /// `core` must outlive this object.
    KernelMemory(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo);

    /// Fills `out`. False if some of it is not in the core image.
    bool read(std::uint64_t address, std::span<std::byte> out) const override;

    /// Fills the start of `out`. Returns the number of bytes read; 0 if the first byte is not in the core
    /// image. After a short read the next byte may still be in the image.
    std::size_t read_some(std::uint64_t address, std::span<std::byte> out) const override;

    /// An array of `size` bytes, which is not 0. Nothing unless all of it is in the core image. `size` may be
    /// any claim: memory is set aside once the last byte is there.
    std::optional<std::vector<std::byte>> read_array(std::uint64_t address, std::uint64_t size) const;

    /// The largest size of an array of the kernel, in bytes: what the core image stores plus an allowance
    /// for holes. It bounds memory, since a tiny sparse file can claim any size.
    std::uint64_t size_limit() const { return size_limit_; }

  private:
    std::optional<std::uint64_t> to_physical(std::uint64_t address) const;
    bool read_by_pages(std::uint64_t address, std::span<std::byte> out) const;

    const CoreFile* core_;
    PageWalk page_walk_;
    std::uint64_t size_limit_;
};

} // namespace kmdump
