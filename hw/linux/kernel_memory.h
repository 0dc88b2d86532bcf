// SPDX-License-Identifier: GPL-2.0-or-later
//
// The memory of the guest's kernel by virtual address, read from RAM alone. The guest writes page tables and
// pointers, so everything that is read through one object shares a budget.
#pragma once

#include "common/architecture.h"
#include "common/kernel_space.h"
#include "common/linux/virtual_memory.h"
#include "common/vmcoreinfo.h"
#include "hw/memory/guest_memory.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace kmd
{

class LiveKernelMemory final : public VirtualMemory
{
  public:
    /// A step is a translation of an address, a read, or a kibibyte that is read.
    static constexpr std::uint32_t kMostSteps = 250'000;

    /// The kernel that `vmcoreinfo` describes. `memory` and `architecture` outlive the object.
    LiveKernelMemory(const Architecture& architecture, const Vmcoreinfo& vmcoreinfo, GuestMemory& memory,
                     std::uint32_t steps = kMostSteps);

    /// False as well once the budget is used up.
    bool read(std::uint64_t address, std::span<std::byte> out) const override;

    /// A pointer without its tag; 0 if it is not available.
    std::uint64_t pointer(std::uint64_t address) const;
    /// A value that was read, as a pointer without its tag; 0 if it is no address of the kernel's.
    std::uint64_t as_pointer(std::uint64_t value) const;

    /// The guest-physical address of a byte; none if it is not mapped to RAM.
    std::optional<std::uint64_t> translate(std::uint64_t address) const;

    /// The page tables of a process; null if those of the kernel are not known. `root`: where the pointer to
    /// the outermost one leads.
    std::unique_ptr<const TranslationTables> tables_of_process(std::uint64_t root) const;
    /// A walk of such tables; an empty one once the budget is used up.
    TableWalk walk(const TranslationTables& tables, std::uint64_t address) const;
    /// The address of a guest-physical page in the linear map; 0 if it has none.
    std::uint64_t linear_address(std::uint64_t phys) const;

    /// Whether an address is mapped where the kernel's image is. What the kernel allocated near it is not.
    bool is_in_image(std::uint64_t address) const;
    /// Whether the kernel's page tables let it write to the page of an address.
    bool is_writable(std::uint64_t address) const;

    std::uint64_t page_size() const { return page_size_; }
    const KernelSpace& space() const { return space_; }
    bool budget_is_used_up() const { return steps_left_ == 0; }
    /// Takes from the budget what other work with this memory costs. False once it is used up.
    bool take_steps(std::uint64_t steps) const;

  private:
    const Architecture* architecture_;
    KernelSpace space_;
    std::uint64_t page_size_;
    GuestMemory* memory_;
    mutable std::uint32_t steps_left_;
    /// The page that was translated last.
    mutable std::uint64_t page_ = 1;
    mutable std::optional<std::uint64_t> page_phys_;
};

} // namespace kmd
