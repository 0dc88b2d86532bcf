// SPDX-License-Identifier: GPL-2.0-or-later
//
// RISC-V with 64 bits, and Linux on it.
#include "common/riscv64.h"

#include "common/little_endian.h"
#include "common/riscv64_tables.h"

#include <elf.h>

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
constexpr std::size_t kS0 = 8;
constexpr std::size_t kGeneralRegisters = 32;

/// The kernel's half of the address space.
bool is_kernel_address(std::uint64_t address)
{
    return address >> 63 != 0;
}

/// pr_reg is struct user_regs_struct: pc in the place of x0, then x1 to x31. It does not hold the mode: a
/// program counter in the lower half is a user program's, or firmware's.
CpuRegisters decode_registers(std::span<const std::byte> registers)
{
    CpuRegisters decoded;
    decoded.general_name = "x";
    decoded.general.push_back(0);
    for (std::size_t i = 1; i < kGeneralRegisters; ++i) {
        decoded.general.push_back(load<std::uint64_t>(registers, kWord * i));
    }
    decoded.pc = load<std::uint64_t>(registers, 0);
    decoded.sp = decoded.general[kSp];
    decoded.frame_pointer = decoded.general[kS0];
    decoded.link = decoded.general[kRa];
    decoded.in_kernel = is_kernel_address(decoded.pc);
    return decoded;
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

KernelSpace kernel_space(const Vmcoreinfo& vmcoreinfo)
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

/// A record of a function ends where its frame pointer points: the caller's frame pointer and the return
/// address. The function that an exception calls has the interrupted frame pointer there, and just behind the
/// record the interrupted registers, whose stack pointer is their own end.
FrameRecord read_frame_record(std::uint64_t record, const ReadWord& read)
{
    using Kind = FrameRecord::Kind;
    const auto next = read(record - 2 * kWord);
    const auto address = read(record - kWord);
    if (!next || !address) {
        return {Kind::kUnknown, record};
    }
    if (!is_kernel_address(*address)) {
        return {Kind::kEnd};
    }
    const auto interrupted = read(record);
    if (interrupted && is_kernel_address(*interrupted) &&
        read(record + kSp * kWord) == record + kSizeOfRegisters && read(record + kS0 * kWord) == *next) {
        return {Kind::kException, *interrupted, read(record + kRa * kWord).value_or(0), *next};
    }
    if (!is_kernel_address(*next)) {
        // The frame pointer of a user program, or of a thread that has just started.
        return {Kind::kEnd};
    }
    return {Kind::kCall, *address, 0, *next};
}

constexpr std::array<std::string_view, 2> kVariables = {"kernel_map", "phys_ram_base"};

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
    .kernel_space = kernel_space,
    .is_kernel_address = is_kernel_address,
    .without_tag = without_tag,
    .stack_size = 16384,
    .variables = kVariables,
    .irq_stack_pointer = "irq_stack_ptr",
    // struct thread_struct begins with ra, sp and s0 to s11.
    .saved_context = "ra",
    .saved_frame_pointer = 16,
    .saved_pc = 0,
    .read_frame_record = read_frame_record,
    .signature_masks = kSignatureMasks,
    .signature_mask = signature_mask,
};

} // namespace kmd
