// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/printk_layout.h"
#include "hw/linux/collect.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace kmd
{

namespace
{

/// log2 of the largest ring that Linux can be configured for, with a margin: 2 GiB would be
/// CONFIG_LOG_BUF_SHIFT=31.
constexpr std::uint32_t kMostTextBits = 26;
constexpr std::uint32_t kMostDescriptorBits = 20;

class LogSearch
{
  public:
    explicit LogSearch(const LiveKernelMemory& memory) : memory_(memory) {}

    /// Adds an area, which can consist of several pieces of memory.
    void add(std::string_view name, std::uint64_t address, std::uint64_t size)
    {
        PageSet pages(memory_, ~std::size_t{0});
        pages.add(address, size);
        for (Region& region : pages.regions()) {
            region.vital = true;
            std::memcpy(region.name.data(), name.data(), std::min(name.size(), region.name.size()));
            found_.push_back(region);
        }
    }

    std::vector<Region> take() { return std::move(found_); }

  private:
    const LiveKernelMemory& memory_;
    std::vector<Region> found_;
};

} // namespace

std::vector<Region> log_regions(const LinuxKernel& kernel, const LiveKernelMemory& memory)
{
    const auto described = find_printk_layout(kernel.vmcoreinfo());
    if (!described) {
        return {};
    }
    const PrintkLayout& layout = described.value();
    const std::uint64_t ring = memory.pointer(layout.prb_pointer);
    const auto descriptors = memory.read_u32(ring + layout.count_bits);
    const auto text = memory.read_u32(ring + layout.size_bits);
    if (ring == 0 || !descriptors || !text || *descriptors > kMostDescriptorBits || *text > kMostTextBits) {
        return {};
    }
    LogSearch search(memory);
    search.add("prb", layout.prb_pointer, sizeof(std::uint64_t));
    search.add("printk_rb", ring, layout.ring_size);
    search.add("prb_descs", memory.pointer(ring + layout.descs), layout.desc_size << *descriptors);
    search.add("prb_infos", memory.pointer(ring + layout.infos), layout.info_size << *descriptors);
    search.add("prb_data", memory.pointer(ring + layout.text_data), std::uint64_t{1} << *text);
    return search.take();
}

} // namespace kmd
