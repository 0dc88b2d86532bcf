// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/stacks.h"

#include "common/architecture.h"
#include "common/page_size.h"
#include "common/stack_end.h"

#include <cstring>
#include <map>
#include <set>

namespace kmd
{

namespace
{

constexpr std::uint64_t kPage = kSmallestPage;
constexpr std::size_t kMostPieces = 16;
constexpr std::size_t kMostCodePages = 64;
constexpr unsigned kMostFrames = 512;

/// A debugger that knows only the symbol of a function, such as one in assembly, analyses at most this many
/// bytes from its start.
constexpr std::uint64_t kPrologue = 256;

/// One CPU's view of memory, page by page.
class View
{
  public:
    View(unsigned cpu, AddressTranslation& translation, GuestMemory& memory)
        : cpu_(cpu), translation_(translation), memory_(memory)
    {
    }

    /// The guest-physical address of a page; none if it is not RAM.
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

    /// Reads eight bytes, which must not cross a page; none if they are not RAM.
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

/// What a CPU's registers and stacks refer to: pieces of stacks, from the start address of each to its end,
/// and code pages.
struct Trail {
    std::map<std::uint64_t, std::uint64_t> pieces;
    std::set<std::uint64_t> code;
};

/// Adds the piece of a stack with this address.
void add_piece(Trail& trail, std::uint64_t address, const Architecture& architecture)
{
    if (trail.pieces.size() < kMostPieces) {
        const std::uint64_t begin = address / architecture.stack_size * architecture.stack_size;
        trail.pieces.emplace(begin, begin + architecture.stack_size);
    }
}

/// Adds the page of a code address, and the previous page if the function may begin there.
void add_code(Trail& trail, std::uint64_t address, const Architecture& architecture, View& view)
{
    for (const std::uint64_t bits : architecture.signature_masks) {
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

void follow_frames(Trail& trail, std::uint64_t frame_pointer, const Architecture& architecture, View& view)
{
    using Kind = FrameRecord::Kind;
    const ReadWord read = [&](std::uint64_t virt) { return view.word(virt); };
    std::uint64_t record = architecture.first_record(frame_pointer, read);
    for (unsigned i = 0; i < kMostFrames && record != 0 && record % sizeof(record) == 0; ++i) {
        const FrameRecord frame = architecture.read_frame_record(record, read);
        if (frame.kind == Kind::kUnknown) {
            return;
        }
        add_piece(trail, record, architecture);
        const bool goes_on = frame.kind == Kind::kCall || frame.kind == Kind::kException;
        if (trail.pieces.size() >= kMostPieces || !goes_on) {
            return;
        }
        add_code(trail, frame.address, architecture, view);
        add_code(trail, frame.link, architecture, view);
        record = frame.next;
    }
}

/// Without frame records: a stack is what is mapped above the stack pointer, and its end tells which it
/// interrupted.
void follow_stacks(Trail& trail, std::uint64_t sp, const Architecture& architecture, View& view)
{
    const ReadWord read = [&](std::uint64_t virt) { return view.word(virt); };
    for (std::optional<std::uint64_t> next = sp; next && trail.pieces.size() < kMostPieces;) {
        const std::uint64_t begin = *next / kPage * kPage;
        const std::uint64_t end = end_of_stack(*next, architecture.stack_size, read);
        if (end == begin || !trail.pieces.emplace(begin, end).second) {
            return;
        }
        next = architecture.interrupted_stack(end, read);
    }
}

void add_trail(Trail& trail, const CpuRegisters& registers, const Architecture& architecture, View& view)
{
    add_code(trail, registers.pc, architecture, view);
    if (architecture.read_frame_record == nullptr) {
        follow_stacks(trail, registers.sp, architecture, view);
        return;
    }
    add_piece(trail, registers.sp, architecture);
    // An empty stack: the stack pointer is just past its end.
    if (registers.sp % architecture.stack_size == 0 && registers.sp != 0) {
        add_piece(trail, registers.sp - 1, architecture);
    }
    add_code(trail, registers.link, architecture, view);
    follow_frames(trail, registers.frame_pointer, architecture, view);
}

Trail trail_of(const CpuRegisters& registers, const Architecture& architecture, View& view)
{
    Trail trail;
    add_trail(trail, registers, architecture, view);
    if (registers.in_firmware) {
        const ReadWord read = [&](std::uint64_t virt) { return view.word(virt); };
        if (const auto kernel = architecture.below_firmware(registers, read)) {
            add_trail(trail, *kernel, architecture, view);
        }
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

std::vector<Region> stack_pages(std::span<const CpuState> cpus, const Machine& machine,
                                AddressTranslation& translation, GuestMemory& memory)
{
    std::vector<Region> regions;
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    for (const CpuState& cpu : cpus) {
        const CpuRegisters& registers = cpu.registers;
        if (architecture == nullptr || (!registers.in_kernel && !registers.in_firmware)) {
            continue;
        }
        View view(cpu.cpu, translation, memory);
        const Trail trail = trail_of(registers, *architecture, view);
        for (const auto& [begin, end] : trail.pieces) {
            add_pages(regions, begin, end - begin, view);
        }
        for (const std::uint64_t page : trail.code) {
            add_pages(regions, page, kPage, view);
        }
    }
    return regions;
}

} // namespace kmd
