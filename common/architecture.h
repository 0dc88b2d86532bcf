// SPDX-License-Identifier: GPL-2.0-or-later
//
// What differs from one architecture to the next and is fact, not judgement. An architecture is one value
// of this type, in a file of its own.
#pragma once

#include "common/cpu_registers.h"
#include "common/frame_record.h"
#include "common/kernel_space.h"
#include "common/vmcoreinfo.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace kmd
{

struct Architecture {
    /// e_machine of <elf.h>.
    std::uint16_t elf_machine;
    /// As `uname -m` has it.
    const char* name;

    /// struct elf_prstatus: its size, and where its member pr_reg begins. Bytes.
    std::size_t prstatus_size;
    std::size_t prstatus_registers;
    /// `registers`: pr_reg, as many bytes as there are from prstatus_registers on at least.
    CpuRegisters (*decode_registers)(std::span<const std::byte> registers);

    /// Where the kernel has its memory, as far as its vmcoreinfo says.
    KernelSpace (*kernel_space)(const Vmcoreinfo& vmcoreinfo);
    /// Whether an address is in the half of the address space that is the kernel's.
    bool (*is_kernel_address)(std::uint64_t address);
    /// A kernel's address without the tag in it that the CPU ignores.
    std::uint64_t (*without_tag)(std::uint64_t address);
    /// What Linux gives a stack at least. Bytes, a power of two.
    std::uint64_t stack_size;

    /// Where a task that does not run has its registers: a member of struct thread_struct, and in it the
    /// frame pointer and the place that it goes on at. Bytes.
    const char* saved_context;
    std::size_t saved_frame_pointer;
    std::size_t saved_pc;

    /// The record that a frame pointer points to. Safe for any address.
    FrameRecord (*read_frame_record)(std::uint64_t record, const ReadWord& read);
    /// The bits of a code pointer that a signature may stand in, one of these masks; setting them gives the
    /// address.
    std::span<const std::uint64_t> signature_masks;
    /// The same where vmcoreinfo says which; 0: none.
    std::uint64_t (*signature_mask)(const Vmcoreinfo& vmcoreinfo);
};

/// Null for a machine that we do not know.
const Architecture* find_architecture(std::uint16_t elf_machine);

/// As `uname -m` has it, of machines that we do not know as well; else "ELF machine 8".
std::string machine_name(std::uint16_t elf_machine);

/// The names of those that we know, for a message.
std::string names_of_architectures();

} // namespace kmd
