// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/printk_layout.h"
#include "hw/linux/collect.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kmd
{

namespace
{

/// log2 of the largest ring that Linux can be configured for, with a margin: 2 GiB would be
/// CONFIG_LOG_BUF_SHIFT=31.
constexpr std::uint32_t kMostTextBits = 26;
constexpr std::uint32_t kMostDescriptorBits = 20;
/// The sizes come from the guest: 128 MiB with pages of 4 KiB.
constexpr std::size_t kMostLogPages = 32768;

class LogSearch
{
  public:
    explicit LogSearch(const LiveKernelMemory& memory) : memory_(memory) {}

    /// Adds an area, which can consist of several pieces of memory.
    void add(std::string_view name, std::uint64_t address, std::uint64_t size)
    {
        PageSet pages(memory_, pages_left_);
        pages.add(address, size);
        pages_left_ -= pages.size();
        found_.left_out += pages.left_out();
        for (Region& region : pages.regions()) {
            region.vital = true;
            std::memcpy(region.name.data(), name.data(), std::min(name.size(), region.name.size()));
            found_.regions.push_back(region);
        }
    }

    LogFound take() { return std::move(found_); }

  private:
    const LiveKernelMemory& memory_;
    LogFound found_;
    std::size_t pages_left_ = kMostLogPages;
};

/// The ring buffer, with sizes that are sound.
struct Ring {
    PrintkLayout layout;
    std::uint64_t address = 0;
    std::uint32_t descriptor_bits = 0;
    std::uint32_t text_bits = 0;
};

std::optional<Ring> find_ring(const LinuxKernel& kernel, const LiveKernelMemory& memory)
{
    const auto layout = find_printk_layout(kernel.vmcoreinfo());
    const std::uint64_t ring = layout ? memory.pointer(layout.value().prb_pointer) : 0;
    if (ring == 0) {
        return std::nullopt;
    }
    const auto descriptors = memory.read_u32(ring + layout.value().count_bits);
    const auto text = memory.read_u32(ring + layout.value().size_bits);
    if (!descriptors || !text || *descriptors > kMostDescriptorBits || *text > kMostTextBits) {
        return std::nullopt;
    }
    return Ring{layout.value(), ring, *descriptors, *text};
}

} // namespace

LogFound log_regions(const LinuxKernel& kernel, const LiveKernelMemory& memory)
{
    const auto found = find_ring(kernel, memory);
    if (!found) {
        return {};
    }
    const PrintkLayout& layout = found->layout;
    const std::uint64_t ring = found->address;
    LogSearch search(memory);
    search.add("prb", layout.prb_pointer, sizeof(std::uint64_t));
    search.add("printk_rb", ring, layout.ring_size);
    search.add("prb_descs", memory.pointer(ring + layout.descs), layout.desc_size << found->descriptor_bits);
    search.add("prb_infos", memory.pointer(ring + layout.infos), layout.info_size << found->descriptor_bits);
    search.add("prb_data", memory.pointer(ring + layout.text_data), std::uint64_t{1} << found->text_bits);
    return search.take();
}

bool log_names_a_panic(const LinuxKernel& kernel, const LiveKernelMemory& memory)
{
    constexpr std::string_view kPanic = "Kernel panic - not syncing";
    constexpr std::uint64_t kPiece = 4096;
    const auto ring = find_ring(kernel, memory);
    const std::uint64_t text = ring ? memory.pointer(ring->address + ring->layout.text_data) : 0;
    const std::uint64_t size = ring ? std::uint64_t{1} << ring->text_bits : 0;
    // With the end of the piece before, which the line can begin in.
    std::string window;
    for (std::uint64_t at = 0; text != 0 && at < size; at += kPiece) {
        std::array<std::byte, kPiece> piece;
        const auto part = std::span(piece).first(std::min(kPiece, size - at));
        if (!memory.read(text + at, part)) {
            return false;
        }
        window.erase(0, window.size() - std::min(window.size(), kPanic.size()));
        window.append(reinterpret_cast<const char*>(part.data()), part.size());
        if (window.find(kPanic) != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace kmd
