// SPDX-License-Identifier: GPL-2.0-or-later
#include "stacks.h"

#include <cstring>
#include <map>
#include <set>

namespace kmd
{

namespace
{

constexpr std::uint64_t kStack = 16384;
constexpr std::uint64_t kPage = 4096;
constexpr std::size_t kMostPieces = 16;
constexpr unsigned kMostFrames = 512;

/// One CPU's view of memory, page by page.
class View
{
  public:
    View(unsigned cpu, AddressTranslation& translation, GuestMemory& memory)
        : cpu_(cpu), translation_(translation), memory_(memory)
    {
    }

    /// The guest-physical address of a page, if it is RAM.
    std::optional<std::uint64_t> page(std::uint64_t virt)
    {
        const auto known = pages_.find(virt);
        if (known != pages_.end()) {
            return known->second;
        }
        auto phys = translation_.translate(cpu_, virt);
        if (phys && !is_ram(memory_, *phys, kPage)) {
            phys.reset();
        }
        pages_.emplace(virt, phys);
        return phys;
    }

    /// Eight bytes that do not cross a page.
    std::optional<std::uint64_t> word(std::uint64_t virt)
    {
        const auto phys = page(virt / kPage * kPage);
        if (!phys) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        const auto bytes = memory_.map(*phys + virt % kPage, sizeof(value));
        if (bytes.size() < sizeof(value)) {
            return std::nullopt;
        }
        std::memcpy(&value, bytes.data(), sizeof(value));
        return value;
    }

  private:
    unsigned cpu_;
    AddressTranslation& translation_;
    GuestMemory& memory_;
    std::map<std::uint64_t, std::optional<std::uint64_t>> pages_;
};

/// Where the pieces begin.
std::set<std::uint64_t> pieces_of(const CpuState& cpu, View& view)
{
    std::set<std::uint64_t> pieces{cpu.stack_pointer / kStack * kStack};
    // An empty stack: its pointer stands on the first byte behind it.
    if (cpu.stack_pointer % kStack == 0 && cpu.stack_pointer != 0) {
        pieces.insert(cpu.stack_pointer - kStack);
    }
    std::uint64_t frame = cpu.frame_pointer;
    for (unsigned i = 0; i < kMostFrames && frame != 0 && frame % sizeof(frame) == 0; ++i) {
        const auto caller = view.word(frame);
        if (!caller) {
            break;
        }
        pieces.insert(frame / kStack * kStack);
        if (pieces.size() >= kMostPieces) {
            break;
        }
        frame = *caller;
    }
    return pieces;
}

} // namespace

std::vector<Region> stack_pages(std::span<const CpuState> cpus, AddressTranslation& translation,
                                GuestMemory& memory)
{
    std::vector<Region> regions;
    for (const CpuState& cpu : cpus) {
        if (cpu.in_user_mode) {
            continue;
        }
        View view(cpu.cpu, translation, memory);
        for (const std::uint64_t piece : pieces_of(cpu, view)) {
            for (std::uint64_t into = 0; into < kStack; into += kPage) {
                if (const auto phys = view.page(piece + into)) {
                    Region region;
                    region.phys = *phys;
                    region.virt = piece + into;
                    region.size = kPage;
                    regions.push_back(region);
                }
            }
        }
    }
    return regions;
}

} // namespace kmd
