// SPDX-License-Identifier: GPL-2.0-or-later
//
// Translates addresses with the kernel's page tables in the core image.
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
    /// `core` must outlive this object. If vmcoreinfo lacks an entry, translations are unknown.
    PageWalk(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo);

    /// Translates a kernel virtual address.
    kmd::Translation translate(std::uint64_t address) const;

    /// Page size in bytes; the smallest one if unknown.
    std::uint64_t page_size() const;

    const kmd::KernelSpace& space() const { return space_; }

  private:
    const CoreFile* core_;
    kmd::KernelSpace space_;
};

} // namespace kmdump
