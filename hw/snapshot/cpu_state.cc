// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/cpu_state.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace kmd
{

namespace
{

/// struct elf_prstatus of Linux on AArch64: byte offsets and size.
constexpr std::size_t kPid = 32;
constexpr std::size_t kRegisters = 112;
constexpr std::size_t kRegisterSize = 8;
constexpr std::size_t kFramePointer = kRegisters + 29 * kRegisterSize;
constexpr std::size_t kLinkRegister = kRegisters + 30 * kRegisterSize;
constexpr std::size_t kStackPointer = kRegisters + 31 * kRegisterSize;
constexpr std::size_t kProgramCounter = kRegisters + 32 * kRegisterSize;
constexpr std::size_t kPstate = kRegisters + 33 * kRegisterSize;
constexpr std::size_t kPrstatusSize = 392;

/// PSTATE.M of EL0t.
constexpr std::uint64_t kModeMask = 0xf;

template <class T> T at(std::span<const std::byte> bytes, std::size_t offset)
{
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
}

constexpr std::size_t padded(std::size_t size)
{
    return (size + 3) / 4 * 4;
}

CpuState state_of(std::span<const std::byte> prstatus)
{
    CpuState state;
    state.cpu = at<std::uint32_t>(prstatus, kPid) - 1;
    state.stack_pointer = at<std::uint64_t>(prstatus, kStackPointer);
    state.frame_pointer = at<std::uint64_t>(prstatus, kFramePointer);
    state.in_user_mode = (at<std::uint64_t>(prstatus, kPstate) & kModeMask) == 0;
    state.exception_level = static_cast<unsigned>((at<std::uint64_t>(prstatus, kPstate) & kModeMask) >> 2);
    state.program_counter = at<std::uint64_t>(prstatus, kProgramCounter);
    state.link_register = at<std::uint64_t>(prstatus, kLinkRegister);
    return state;
}

/// One note; the parts are what they are in the file.
struct Note {
    Elf64_Nhdr header;
    std::span<const std::byte> whole;
    std::span<const std::byte> description;

    bool is_prstatus() const { return header.n_type == NT_PRSTATUS && header.n_descsz == kPrstatusSize; }
};

/// Takes the first note off; none when it is cut off.
std::optional<Note> take_note(std::span<const std::byte>& notes)
{
    if (notes.size() < sizeof(Elf64_Nhdr)) {
        return std::nullopt;
    }
    const auto header = at<Elf64_Nhdr>(notes, 0);
    const std::size_t description = sizeof(header) + padded(header.n_namesz);
    const std::size_t end = description + padded(header.n_descsz);
    if (end > notes.size()) {
        return std::nullopt;
    }
    const Note note{header, notes.first(end), notes.subspan(description, header.n_descsz)};
    notes = notes.subspan(end);
    return note;
}

} // namespace

std::vector<CpuState> read_cpu_states(std::span<const std::byte> notes, const Machine& machine)
{
    std::vector<CpuState> states;
    if (machine.elf_machine != EM_AARCH64) {
        return states;
    }
    while (const auto note = take_note(notes)) {
        if (note->is_prstatus()) {
            states.push_back(state_of(note->description));
        }
    }
    return states;
}

std::vector<std::byte> without_state_of(std::span<const unsigned> cpus, std::span<const std::byte> notes)
{
    std::vector<std::byte> kept;
    kept.reserve(notes.size());
    bool left_out = false;
    while (const auto note = take_note(notes)) {
        if (note->is_prstatus()) {
            const auto cpu = at<std::uint32_t>(note->description, kPid) - 1;
            left_out = std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
        } else if (left_out) {
            continue;
        }
        kept.insert(kept.end(), note->whole.begin(), note->whole.end());
        if (left_out) {
            std::fill_n(kept.end() - static_cast<std::ptrdiff_t>(kPrstatusSize - kRegisters),
                        kPrstatusSize - kRegisters, std::byte{0});
        }
    }
    return kept;
}

} // namespace kmd
