// SPDX-License-Identifier: GPL-2.0-or-later
//
// Searches guest RAM for vmcoreinfo. The kernel keeps it in a page of its own, at no known address.
#pragma once

#include "hw/memory/guest_memory.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// A page that begins as vmcoreinfo does.
struct VmcoreinfoPage {
    std::uint64_t phys = 0;
    std::string text;
};

/// The text at a guest-physical address; none if there is no vmcoreinfo.
std::optional<VmcoreinfoPage> read_vmcoreinfo_page(std::uint64_t phys, GuestMemory& memory);

class VmcoreinfoSearch
{
  public:
    /// Goes on to the next page that begins as vmcoreinfo does. Looks at no more than `pages` pages, and
    /// reduces `pages` by their number; none if it has found none among these or has reached the end. Skips
    /// memory that the host has never allocated.
    std::optional<VmcoreinfoPage> next(GuestMemory& memory, std::uint64_t& pages);

    /// Whether all RAM was searched.
    bool at_end() const { return at_end_; }

  private:
    std::uint64_t position_ = 0;
    bool at_end_ = false;
};

} // namespace kmd
