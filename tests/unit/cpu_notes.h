// SPDX-License-Identifier: GPL-2.0-or-later
//
// Notes of CPUs as QEMU writes them for AArch64: struct elf_prstatus with the process id at byte 32, then
// at byte 112 x0 to x30, SP, PC and PSTATE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace kmd::test
{

struct CpuRegisters {
    std::uint32_t cpu = 0;
    std::uint64_t sp = 0;
    std::uint64_t x29 = 0;
    /// EL1h.
    std::uint64_t pstate = 5;
};

inline void append_words(std::vector<std::byte>& notes, std::initializer_list<std::uint32_t> words)
{
    for (const std::uint32_t word : words) {
        const auto* bytes = reinterpret_cast<const std::byte*>(&word);
        notes.insert(notes.end(), bytes, bytes + sizeof(word));
    }
}

/// One NT_PRSTATUS, followed by a note of another type.
inline void append_cpu(std::vector<std::byte>& notes, const CpuRegisters& registers)
{
    std::vector<std::byte> description(392);
    const auto put = [&](std::size_t offset, std::uint64_t value, std::size_t size) {
        std::memcpy(description.data() + offset, &value, size);
    };
    put(32, registers.cpu + 1, 4);
    put(112 + 29 * 8, registers.x29, 8);
    put(112 + 31 * 8, registers.sp, 8);
    put(112 + 33 * 8, registers.pstate, 8);
    append_words(notes, {5, 392, 1, 0x45524f43 /* "CORE" */, 0});
    notes.insert(notes.end(), description.begin(), description.end());
    append_words(notes, {5, 6, 2, 0x45524f43, 0, 0x11111111, 0x2222});
}

inline std::vector<std::byte> cpu_notes(std::initializer_list<CpuRegisters> cpus)
{
    std::vector<std::byte> notes;
    for (const CpuRegisters& registers : cpus) {
        append_cpu(notes, registers);
    }
    return notes;
}

} // namespace kmd::test
