// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/page_walk.h"

#include "common/architecture.h"
#include "common/page_size.h"

#include <cstddef>
#include <span>

namespace kmdump
{

namespace
{

/// Guest memory in the core image.
class DumpedMemory final : public kmd::PhysicalMemory
{
  public:
    explicit DumpedMemory(const CoreFile& core) : core_(core) {}

    bool read(std::uint64_t phys, std::span<std::byte> out) override
    {
        return core_.read_physical(phys, out);
    }

  private:
    const CoreFile& core_;
};

} // namespace

PageWalk::PageWalk(const CoreFile& core, const kmd::Vmcoreinfo& vmcoreinfo) : core_(&core)
{
    if (const auto* const architecture = kmd::find_architecture(core.summary().machine)) {
        DumpedMemory memory(core);
        space_ = architecture->kernel_space(vmcoreinfo, memory);
    }
}

kmd::Translation PageWalk::translate(std::uint64_t address) const
{
    DumpedMemory memory(*core_);
    return space_.translate(address, memory);
}

std::uint64_t PageWalk::page_size() const
{
    return space_.tables ? space_.tables->page_size() : kmd::kSmallestPage;
}

} // namespace kmdump
