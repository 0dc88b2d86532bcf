// SPDX-License-Identifier: GPL-2.0-or-later
//
// RISC-V with 64 bits, and Linux on it.
#include "common/riscv64.h"

#include "common/little_endian.h"
#include "common/riscv64_tables.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace kmd
{

namespace
{

constexpr std::size_t kWord = sizeof(std::uint64_t);

/// Register numbers of the calling convention (RISC-V ELF psABI).
constexpr std::size_t kRa = 1;
constexpr std::size_t kSp = 2;
constexpr std::size_t kTp = 4;
constexpr std::size_t kS0 = 8;
constexpr std::size_t kGeneralRegisters = 32;

/// The kernel's half of the address space.
bool is_kernel_address(std::uint64_t address)
{
    return address >> 63 != 0;
}

/// Whether a CPU that is not in the kernel is in firmware. In the kernel tp points to the current task, and
/// firmware that the kernel called leaves it there. A hart that was halted there has the firmware's tp: its
/// code and stack are close together at the beginning of RAM, where a program has its stack far above.
bool is_in_firmware(const CpuRegisters& registers)
{
    constexpr std::uint64_t kMost = std::uint64_t{4} << 30;
    constexpr std::uint64_t kNear = 16 << 20;
    const std::uint64_t distance =
        registers.sp > registers.pc ? registers.sp - registers.pc : registers.pc - registers.sp;
    return is_kernel_address(registers.general[kTp]) || (registers.pc < kMost && distance < kNear);
}

/// `pc_and_general`: pc, then x1 to x31.
CpuRegisters registers_from(std::span<const std::uint64_t, kGeneralRegisters> pc_and_general)
{
    CpuRegisters decoded;
    decoded.general_name = "x";
    decoded.general.assign(pc_and_general.begin(), pc_and_general.end());
    decoded.general[0] = 0;
    decoded.pc = pc_and_general[0];
    decoded.sp = decoded.general[kSp];
    decoded.frame_pointer = decoded.general[kS0];
    decoded.link = decoded.general[kRa];
    decoded.link_name = "ra";
    decoded.in_kernel = is_kernel_address(decoded.pc);
    decoded.in_firmware = !decoded.in_kernel && !decoded.are_zeros() && is_in_firmware(decoded);
    return decoded;
}

/// pr_reg is struct user_regs_struct: pc in the place of x0, then x1 to x31. It does not hold the mode: a
/// program counter in the lower half is a user program's, or firmware's.
CpuRegisters decode_registers(std::span<const std::byte> registers)
{
    std::array<std::uint64_t, kGeneralRegisters> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words.at(i) = load<std::uint64_t>(registers, kWord * i);
    }
    return registers_from(words);
}

/// OpenSBI saves the registers on its stack when the kernel calls it (struct sbi_trap_regs): x0 to x31, then
/// mepc. They are found by what they have to be: x0 is 0, tp is that of now, sp and mepc are addresses of the
/// kernel.
std::optional<CpuRegisters> below_firmware(const CpuRegisters& firmware, const ReadWord& read)
{
    constexpr std::size_t kMostWords = 1024; // the stack has 8 KiB
    constexpr std::size_t kMepc = kGeneralRegisters;
    if (!is_kernel_address(firmware.general[kTp])) {
        return std::nullopt;
    }
    if (is_kernel_address(firmware.sp)) {
        // Its first instructions: all registers but pc are still the kernel's.
        auto words = firmware.general;
        words[0] = firmware.link;
        return registers_from(std::span(words).first<kGeneralRegisters>());
    }
    std::array<std::uint64_t, kMepc + 1> words{};
    const std::uint64_t stack = firmware.sp & ~(kWord - 1);
    for (std::size_t i = 0; i < kMostWords; ++i) {
        const auto word = read(stack + kWord * i);
        if (!word) {
            return std::nullopt;
        }
        std::shift_left(words.begin(), words.end(), 1);
        words.back() = *word;
        if (i >= kMepc && words[0] == 0 && words[kTp] == firmware.general[kTp] &&
            is_kernel_address(words[kSp]) && is_kernel_address(words[kMepc])) {
            words[0] = words[kMepc];
            return registers_from(std::span(words).first<kGeneralRegisters>());
        }
    }
    return std::nullopt;
}

std::uint64_t without_tag(std::uint64_t address)
{
    return address;
}

/// The number of levels for addresses of `bits` bits; 0 if there is no such format.
constexpr unsigned levels_for(std::uint64_t bits)
{
    for (const unsigned levels : {3u, 4u, 5u}) {
        if (Riscv64Tables::address_bits(levels) == bits) {
            return levels;
        }
    }
    return 0;
}

KernelSpace kernel_space(const Vmcoreinfo& vmcoreinfo, PhysicalMemory&)
{
    KernelSpace space;
    space.image_distance = vmcoreinfo.number("NUMBER(va_kernel_pa_offset)");
    const auto page_offset = vmcoreinfo.number("NUMBER(PAGE_OFFSET)");
    const auto ram = vmcoreinfo.number("NUMBER(phys_ram_base)");
    const auto vmalloc = vmcoreinfo.number("NUMBER(VMALLOC_START)");
    const auto va_bits = vmcoreinfo.number("NUMBER(VA_BITS)");
    const unsigned levels = levels_for(va_bits.value_or(0));
    if (page_offset && ram && levels != 0 && is_kernel_address(*page_offset)) {
        // The linear map is above vmalloc space, and ends where modules and the image begin: the last 4 GiB.
        constexpr std::uint64_t kLastOfLinearMap = 0xffff'fffe'ffff'ffff;
        if (!vmalloc || *vmalloc < *page_offset) {
            space.linear_map = {{*page_offset, kLastOfLinearMap}, *page_offset - *ram};
        }
    }
    const auto root = vmcoreinfo.symbol("SYMBOL(swapper_pg_dir)");
    if (root && space.image_distance && levels != 0) {
        space.root_in_image = *root;
        space.translated = {~std::uint64_t{0} << (Riscv64Tables::address_bits(levels) - 1),
                            ~std::uint64_t{0}};
        space.tables = std::make_shared<Riscv64Tables>(*root - *space.image_distance, levels);
    }
    return space;
}

/// struct pt_regs: epc, then x1 to x31, then four more words.
constexpr std::uint64_t kSizeOfRegisters = 36 * kWord;

/// A leaf function saves the frame pointer alone, in the place of the return address.
std::uint64_t first_record(std::uint64_t frame_pointer, const ReadWord& read)
{
    constexpr std::uint64_t kMostOfAFrame = 16 << 10;
    const auto saved = read(frame_pointer - kWord);
    const bool is_on_the_stack = saved && *saved > frame_pointer && *saved - frame_pointer < kMostOfAFrame;
    return is_on_the_stack ? *saved : frame_pointer;
}

/// A record of a function ends where its frame pointer points: the caller's frame pointer and the return
/// address. The function that the entry of an exception calls has, just behind its record, the interrupted
/// registers; their stack pointer is their own end, and it is the frame pointer in the record.
FrameRecord read_frame_record(std::uint64_t record, const ReadWord& read)
{
    using Kind = FrameRecord::Kind;
    const auto next = read(record - 2 * kWord);
    const auto address = read(record - kWord);
    if (!next || !address) {
        return {Kind::kUnknown, record};
    }
    constexpr std::uint64_t kStackAlignment = 16;
    if (!is_kernel_address(*address) || !is_kernel_address(*next) || *next % kStackAlignment != 0) {
        // The stack pointer of a user program, or the function of a thread, which its start has in s0.
        return {Kind::kEnd};
    }
    if (*next == record + kSizeOfRegisters && read(record + kSp * kWord) == *next) {
        const auto interrupted = read(record);
        const auto frame_pointer = read(record + kS0 * kWord);
        if (!interrupted || !frame_pointer) {
            return {Kind::kUnknownRegisters, record};
        }
        return {Kind::kException, *interrupted, read(record + kRa * kWord).value_or(0),
                first_record(*frame_pointer, read)};
    }
    return {Kind::kCall, *address, 0, *next};
}

/// struct thread_struct begins with ra, sp and s0 to s11.
std::optional<SavedRegisters> saved_registers(std::uint64_t context, const ReadWord& read)
{
    const auto pc = read(context);
    const auto sp = read(context + kWord);
    const auto frame_pointer = read(context + 2 * kWord);
    return frame_pointer && sp && pc ? std::optional(SavedRegisters{*pc, *sp, *frame_pointer}) : std::nullopt;
}

constexpr std::array<std::string_view, 3> kVariables = {"__cpuid_to_hartid_map", "kernel_map",
                                                        "phys_ram_base"};

constexpr std::array<std::uint64_t, 1> kSignatureMasks = {0};

std::uint64_t signature_mask(const Vmcoreinfo&)
{
    return 0;
}

} // namespace

constinit const Architecture kRiscv64 = {
    .elf_machine = EM_RISCV,
    .name = "riscv64",
    .prstatus_size = 376,
    .prstatus_registers = 112,
    .decode_registers = decode_registers,
    .below_firmware = below_firmware,
    .cpu_numbers = "__cpuid_to_hartid_map",
    .kernel_space = kernel_space,
    .is_kernel_address = is_kernel_address,
    .without_tag = without_tag,
    .stack_size = 16384,
    .variables = kVariables,
    .code = {},
    .irq_stack_pointer = "irq_stack_ptr",
    .irq_stack_structure = "",
    .saved_context = "ra",
    .saved_registers = saved_registers,
    .first_record = first_record,
    .read_frame_record = read_frame_record,
    .interrupted_stack = nullptr,
    .signature_masks = kSignatureMasks,
    .signature_mask = signature_mask,
};

} // namespace kmd
