// SPDX-License-Identifier: GPL-2.0-or-later
//
// The controller's view of guest RAM.
#pragma once

#include "common/physical_memory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace kmd
{

class GuestMemory : public PhysicalMemory
{
  public:
    /// Guest RAM as the host sees it, without copying.
    ///
    /// Returns the longest run of RAM that starts at guest-physical address `phys`, has at most `size` bytes
    /// and is contiguous in host memory. Empty if `phys` is not RAM: a hole, ROM, or MMIO, which must never
    /// be read because reads have side effects.
    ///
    /// The host owns the bytes. They stay mapped until the caller returns to the host. While the CPUs are
    /// stopped the guest does not change them; otherwise copy them before anything is decided by them.
    virtual std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) = 0;

    /// The first guest-physical address of RAM at or after `phys`. None if there is no more RAM.
    virtual std::optional<std::uint64_t> next_ram(std::uint64_t phys) = 0;

    bool read(std::uint64_t phys, std::span<std::byte> out) final;
};

/// Whether all `size` bytes from `phys` are RAM. `phys + size - 1` must not wrap.
bool is_ram(GuestMemory& memory, std::uint64_t phys, std::uint64_t size);

} // namespace kmd
