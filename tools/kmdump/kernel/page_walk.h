// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's page tables, as far as they are in the core image.
#pragma once

#include "common/kernel_space.h"
#include "common/translation_tables.h"
#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"

#include <cstdint>

namespace kmdump
{

class PageWalk
{
  public:
    /// `core` must outlive this object. Without what it needs from vmcoreinfo nothing is known.
    PageWalk(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo);

    /// Of a virtual address of the kernel.
    kmd::Translation translate(std::uint64_t address) const;

    /// Bytes of a page.
    std::uint64_t page_size() const;

    const kmd::KernelSpace& space() const { return space_; }

  private:
    const CoreFile* core_;
    kmd::KernelSpace space_;
};

} // namespace kmdump
