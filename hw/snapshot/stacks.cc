// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/stacks.h"

#include <array>
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
constexpr std::size_t kMostCodePages = 64;
constexpr unsigned kMostFrames = 512;

/// How far from its beginning a debugger looks at a function of which it has nothing but the symbol:
/// one in assembly.
constexpr std::uint64_t kPrologue = 256;

/// The upper bits of a kernel's address, which a signature may stand in: none, those above 52-bit
/// addresses, those above 48-bit ones.
constexpr std::array<std::uint64_t, 3> kSignatures = {0, 0xfff0'0000'0000'0000, 0xffff'0000'0000'0000};

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

/// What a CPU's registers and frame records lead to: where the pieces of stack begin, and the pages of
/// code.
struct Trail {
    std::set<std::uint64_t> pieces;
    std::set<std::uint64_t> code;
};

/// Adds the page of an address in the code, and the one ahead of it when its function may begin there.
void add_code(Trail& trail, std::uint64_t address, View& view)
{
    for (const std::uint64_t bits : kSignatures) {
        const std::uint64_t page = (address | bits) / kPage * kPage;
        if (address == 0 || !view.page(page)) {
            continue;
        }
        for (const std::uint64_t near : {page, ((address | bits) - kPrologue) / kPage * kPage}) {
            if (trail.code.size() < kMostCodePages && view.page(near)) {
                trail.code.insert(near);
            }
        }
        return;
    }
}

Trail trail_of(const CpuState& cpu, View& view)
{
    Trail trail;
    trail.pieces.insert(cpu.stack_pointer / kStack * kStack);
    // An empty stack: its pointer stands on the first byte behind it.
    if (cpu.stack_pointer % kStack == 0 && cpu.stack_pointer != 0) {
        trail.pieces.insert(cpu.stack_pointer - kStack);
    }
    add_code(trail, cpu.program_counter, view);
    add_code(trail, cpu.link_register, view);
    std::uint64_t frame = cpu.frame_pointer;
    for (unsigned i = 0; i < kMostFrames && frame != 0 && frame % sizeof(frame) == 0; ++i) {
        const auto caller = view.word(frame);
        if (!caller) {
            break;
        }
        trail.pieces.insert(frame / kStack * kStack);
        if (trail.pieces.size() >= kMostPieces) {
            break;
        }
        if (const auto address = view.word(frame + sizeof(frame))) {
            add_code(trail, *address, view);
        }
        frame = *caller;
    }
    return trail;
}

void add_pages(std::vector<Region>& regions, std::uint64_t virt, std::uint64_t size, View& view)
{
    for (std::uint64_t into = 0; into < size; into += kPage) {
        if (const auto phys = view.page(virt + into)) {
            Region region;
            region.phys = *phys;
            region.virt = virt + into;
            region.size = kPage;
            regions.push_back(region);
        }
    }
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
        const Trail trail = trail_of(cpu, view);
        for (const std::uint64_t piece : trail.pieces) {
            add_pages(regions, piece, kStack, view);
        }
        for (const std::uint64_t page : trail.code) {
            add_pages(regions, page, kPage, view);
        }
    }
    return regions;
}

} // namespace kmd
