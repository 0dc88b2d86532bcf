// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/cpu_state.h"

#include "common/architecture.h"
#include "common/little_endian.h"

#include <elf.h>

#include <algorithm>
#include <optional>

namespace kmd
{

namespace
{

/// Offset of pr_pid in struct elf_prstatus of every 64-bit Linux, in bytes.
constexpr std::size_t kPid = 32;

constexpr std::size_t padded(std::size_t size)
{
    return (size + 3) / 4 * 4;
}

CpuState state_of(std::span<const std::byte> prstatus, const Architecture& architecture)
{
    return {.cpu = load<std::uint32_t>(prstatus, kPid) - 1,
            .registers = architecture.decode_registers(prstatus.subspan(architecture.prstatus_registers))};
}

/// One note. The spans refer to its bytes in the file.
struct Note {
    Elf64_Nhdr header;
    std::span<const std::byte> whole;
    std::span<const std::byte> description;

    bool is_prstatus_of(const Architecture& architecture) const
    {
        return header.n_type == NT_PRSTATUS && header.n_descsz == architecture.prstatus_size;
    }
};

/// Removes the first note and returns it; none if it is truncated.
std::optional<Note> take_note(std::span<const std::byte>& notes)
{
    if (notes.size() < sizeof(Elf64_Nhdr)) {
        return std::nullopt;
    }
    const auto header = load<Elf64_Nhdr>(notes, 0);
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
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    while (const auto note = architecture != nullptr ? take_note(notes) : std::nullopt) {
        if (note->is_prstatus_of(*architecture)) {
            states.push_back(state_of(note->description, *architecture));
        }
    }
    return states;
}

std::vector<std::byte> notes_without(std::span<const unsigned> cpus, std::span<const std::byte> notes,
                                     const Machine& machine)
{
    std::vector<std::byte> kept;
    kept.reserve(notes.size());
    const Architecture* const architecture = find_architecture(machine.elf_machine);
    bool left_out = false;
    while (const auto note = architecture != nullptr ? take_note(notes) : std::nullopt) {
        if (note->is_prstatus_of(*architecture)) {
            const auto cpu = load<std::uint32_t>(note->description, kPid) - 1;
            left_out = std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
        } else if (left_out) {
            continue;
        }
        kept.insert(kept.end(), note->whole.begin(), note->whole.end());
        if (left_out) {
            const std::size_t registers = architecture->prstatus_size - architecture->prstatus_registers;
            std::fill_n(kept.end() - static_cast<std::ptrdiff_t>(registers), registers, std::byte{0});
        }
    }
    return kept;
}

} // namespace kmd
