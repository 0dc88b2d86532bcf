// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's page tables of an arm64 guest, as far as they are in the core image.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/kernel/vmcoreinfo.h"

#include <cstdint>
#include <optional>

namespace kmdump
{

struct Translation {
    /// Nothing when no page is mapped there, or a table on the way is not in the core image.
    std::optional<std::uint64_t> physical;
    /// False when a table was missing.
    bool known = false;
};

class PageWalk
{
  public:
    /// `core` must outlive this object. Without what it needs from vmcoreinfo nothing is known.
    PageWalk(const CoreFile& core, const Vmcoreinfo& vmcoreinfo);

    /// Of a virtual address of the kernel. Arm Architecture Reference Manual, section D8.3.
    Translation translate(std::uint64_t address) const;

    /// Bytes of a page.
    std::uint64_t page_size() const { return std::uint64_t{1} << page_shift_; }

  private:
    const CoreFile* core_;
    std::optional<std::uint64_t> root_; // physical
    unsigned page_shift_ = 12;
    unsigned address_bits_ = 0;
};

} // namespace kmdump
