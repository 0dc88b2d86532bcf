// SPDX-License-Identifier: GPL-2.0-or-later
//
// Facts that differ between architectures. Each architecture is one value of this type, in its own file.
#pragma once

#include "common/cpu_registers.h"
#include "common/frame_record.h"
#include "common/kernel_space.h"
#include "common/physical_memory.h"
#include "common/vmcoreinfo.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kmd
{

/// What a task continues with when it runs again.
struct SavedRegisters {
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;
    std::uint64_t frame_pointer = 0;
    /// `pc` is where a call returns to.
    bool called = false;
};

struct Architecture {
    /// e_machine of <elf.h>.
    std::uint16_t elf_machine;
    /// The machine name that `uname -m` prints.
    const char* name;

    /// struct elf_prstatus: its size and the offset of pr_reg. Bytes.
    std::size_t prstatus_size;
    std::size_t prstatus_registers;
    /// `registers`: pr_reg, at least prstatus_size - prstatus_registers bytes.
    CpuRegisters (*decode_registers)(std::span<const std::byte> registers);

    /// The kernel's registers when it left for firmware, which the firmware saved; none if they are not
    /// found. `firmware`: with in_firmware. `read` also reads the firmware's memory, by physical address.
    std::optional<CpuRegisters> (*below_firmware)(const CpuRegisters& firmware, const ReadWord& read);
    /// The kernel's array of 64-bit numbers of the machine's CPUs by its own numbers; empty if both are the
    /// same.
    std::string_view cpu_numbers;

    /// The kernel's address space layout, as far as vmcoreinfo describes it, or the page tables that
    /// vmcoreinfo leads to.
    KernelSpace (*kernel_space)(const Vmcoreinfo& vmcoreinfo, PhysicalMemory& memory);
    /// Whether an address is in the kernel's half of the address space.
    bool (*is_kernel_address)(std::uint64_t address);
    /// A kernel address without the tag that the CPU ignores.
    std::uint64_t (*without_tag)(std::uint64_t address);
    /// Smallest stack size in Linux. Bytes, a power of two.
    std::uint64_t stack_size;

    /// Variables of the kernel on this architecture that debuggers read at their start.
    std::span<const std::string_view> variables;
    /// Functions whose first instructions debuggers read at their start.
    std::span<const std::string_view> code;
    /// The per-CPU pointer to a CPU's interrupt stack, or to the structure that its stacks for exceptions are
    /// in.
    std::string_view irq_stack_pointer;
    /// The name of that structure; empty if it is one stack.
    std::string_view irq_stack_structure;

    /// The member of struct thread_struct that has, or leads to, the registers of a task that is not running.
    const char* saved_context;
    /// Reads them; none if they are not available. `context`: the address of that member. Any is safe.
    std::optional<SavedRegisters> (*saved_registers)(std::uint64_t context, const ReadWord& read);

    /// The first record of the chain of a function with this frame pointer: a leaf function may have none of
    /// its own. Any address is safe. Null, as read_frame_record, if functions have no frame records: then
    /// return addresses are anywhere on the stacks.
    std::uint64_t (*first_record)(std::uint64_t frame_pointer, const ReadWord& read);
    /// Reads the record at `record`. Any address is safe.
    FrameRecord (*read_frame_record)(std::uint64_t record, const ReadWord& read);
    /// Without frame records: the stack pointer of what an interrupt or an exception interrupted, whose own
    /// stack ends at `top`; none if that is no such stack. Any address is safe.
    std::optional<std::uint64_t> (*interrupted_stack)(std::uint64_t top, const ReadWord& read);
    /// Masks of the bits in which a code pointer can carry a signature; the right one depends on the kernel.
    /// Setting these bits gives the address.
    std::span<const std::uint64_t> signature_masks;
    /// The mask that vmcoreinfo gives; 0: none.
    std::uint64_t (*signature_mask)(const Vmcoreinfo& vmcoreinfo);
};

/// Null for an unknown machine.
const Architecture* find_architecture(std::uint16_t elf_machine);

/// The machine name that `uname -m` prints; of an unsupported one for example "ELF machine 8".
std::string machine_name(std::uint16_t elf_machine);

/// The names of all supported architectures, for a message.
std::string names_of_architectures();

} // namespace kmd
