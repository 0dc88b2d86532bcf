// SPDX-License-Identifier: GPL-2.0-or-later
//
// AArch64, and Linux on AArch64.
#include "common/aarch64.h"

#include "common/aarch64_tables.h"
#include "common/bits.h"
#include "common/little_endian.h"
#include "common/page_size.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

namespace kmd
{

namespace
{

constexpr std::size_t kGeneralRegisters = 31;
constexpr std::size_t kWord = sizeof(std::uint64_t);

/// PSTATE (Arm manual, section C5.2): the mode is 0 at EL0t; bit 4 is set in AArch32 state, in which no
/// supported kernel runs.
constexpr std::uint64_t kModeMask = 0x1f;
constexpr std::uint64_t kAarch32 = 0x10;

CpuRegisters decode_registers(std::span<const std::byte> registers)
{
    const auto at = [&](std::size_t index) { return load<std::uint64_t>(registers, kWord * index); };
    CpuRegisters decoded;
    decoded.general_name = "x";
    decoded.state_name = "pstate";
    for (std::size_t i = 0; i < kGeneralRegisters; ++i) {
        decoded.general.push_back(at(i));
    }
    decoded.sp = at(31);
    decoded.pc = at(32);
    decoded.state = at(33);
    if ((decoded.state & kAarch32) != 0) {
        // Arm manual, section D1.20: SP and LR of an AArch32 program are in r13 and r14.
        decoded.sp = decoded.general[13];
        decoded.general[30] = decoded.general[14];
    }
    decoded.frame_pointer = decoded.general[29];
    decoded.link = decoded.general[30];
    decoded.in_kernel = (decoded.state & kModeMask) != 0 && (decoded.state & kAarch32) == 0;
    return decoded;
}

/// Bit 55 selects the half of the address space, whatever the address width and tag.
bool is_kernel_address(std::uint64_t address)
{
    return field(address, 55, 55) != 0;
}

/// The CPU ignores the top byte of an address, where KASAN keeps a tag.
std::uint64_t without_tag(std::uint64_t address)
{
    return address | bits(63, 56);
}

/// Linux places tramp_pg_dir and reserved_pg_dir within a few pages of swapper_pg_dir; the order and the
/// distance differ between releases. In pages.
constexpr std::uint64_t kRootDistance = 4;

/// Limits of the width of kernel addresses, in bits.
constexpr std::uint64_t kLeastWidth = 36;
constexpr std::uint64_t kMostWidth = 52;

constexpr bool is_width(std::uint64_t bits)
{
    return bits >= kLeastWidth && bits <= kMostWidth;
}

/// The format of swapper_pg_dir; none if vmcoreinfo lacks a value or has an impossible one.
std::optional<Aarch64TableFormat> table_format(const Vmcoreinfo& vmcoreinfo)
{
    // A kernel built for 52 bits also runs on a CPU with 48: T1SZ tells which is in use. Old kernels do not
    // export it.
    const auto size_offset = vmcoreinfo.number("NUMBER(TCR_EL1_T1SZ)");
    const auto va_bits = vmcoreinfo.number("NUMBER(VA_BITS)").value_or(64 - size_offset.value_or(0));
    const std::uint64_t t1sz = size_offset.value_or(64 - va_bits);
    if (!is_width(va_bits) || t1sz < 64 - va_bits || t1sz > 64 - kLeastWidth) {
        return std::nullopt;
    }
    Aarch64TableFormat format;
    format.page_shift =
        static_cast<unsigned>(std::countr_zero(vmcoreinfo.page_size().value_or(kSmallestPage)));
    const auto built_for = static_cast<unsigned>(va_bits);
    const auto in_use = static_cast<unsigned>(64 - t1sz);
    format.levels = Aarch64TableFormat::levels_for(in_use, format.page_shift);
    // If both widths need the same number of levels, the root table has the larger size, and the sign bits of
    // an address select its upper part.
    format.address_bits =
        Aarch64TableFormat::levels_for(built_for, format.page_shift) == format.levels ? built_for : in_use;
    format.lpa2 = in_use > 48 && format.page_shift < 16;
    return format;
}

KernelSpace kernel_space(const Vmcoreinfo& vmcoreinfo, PhysicalMemory&)
{
    KernelSpace space;
    space.image_distance = vmcoreinfo.number("NUMBER(kimage_voffset)");
    const auto va_bits = vmcoreinfo.number("NUMBER(VA_BITS)");
    const auto phys_offset = vmcoreinfo.number("NUMBER(PHYS_OFFSET)");
    if (va_bits && is_width(*va_bits) && phys_offset) {
        // The linear map is the lower half of the kernel's address space. In a 52-bit kernel it is everything
        // below the upper half of the 48-bit space, even if the CPU has only 48 bits: such a kernel adjusts
        // PHYS_OFFSET to match.
        const std::uint64_t first = ~std::uint64_t{0} << *va_bits;
        const std::uint64_t end = ~std::uint64_t{0} << (std::min<std::uint64_t>(*va_bits, 48) - 1);
        space.linear_map = {{first, end - 1}, first - *phys_offset};
    }
    const auto root = vmcoreinfo.symbol("SYMBOL(swapper_pg_dir)");
    auto format = table_format(vmcoreinfo);
    if (root && space.image_distance && format) {
        const std::uint64_t in_page = (std::uint64_t{1} << format->page_shift) - 1;
        space.root_in_image = *root & ~in_page;
        format->root = (*root - *space.image_distance) & ~in_page;
        space.other_roots_within = kRootDistance * (in_page + 1);
        space.translated = {~std::uint64_t{0} << format->address_bits, ~std::uint64_t{0}};
        space.tables = std::make_shared<Aarch64Tables>(*format);
    }
    return space;
}

/// A record of two zeros either ends the chain or has a type in the next word (since Linux 6.13). Type 2: the
/// record lies in the registers that an exception saved. Byte offsets in struct pt_regs follow.
constexpr std::uint64_t kMetaRegisters = 2;
constexpr std::uint64_t kRecordInRegisters = 296;
constexpr std::uint64_t kX29 = 29 * kWord;
constexpr std::uint64_t kX30 = 30 * kWord;
constexpr std::uint64_t kPc = 32 * kWord;

FrameRecord read_frame_record(std::uint64_t record, const ReadWord& read)
{
    using Kind = FrameRecord::Kind;
    const auto next = read(record);
    const auto address = read(record + kWord);
    if (!next || !address) {
        return {Kind::kUnknown, record};
    }
    if (*next != 0 || *address != 0) {
        return {Kind::kCall, *address, 0, *next};
    }
    if (read(record + 2 * kWord) != kMetaRegisters) {
        return {Kind::kEnd};
    }
    const std::uint64_t registers = record - kRecordInRegisters;
    const auto interrupted = read(registers + kPc);
    const auto outer = read(registers + kX29);
    if (!interrupted || !outer) {
        return {Kind::kUnknownRegisters, registers};
    }
    if (!is_kernel_address(*interrupted)) {
        // The exception came from user mode.
        return {Kind::kEnd};
    }
    return {Kind::kException, *interrupted, read(registers + kX30).value_or(0), *outer};
}

/// struct cpu_context holds x19 to x28, then fp, sp and pc.
std::optional<SavedRegisters> saved_registers(std::uint64_t context, const ReadWord& read)
{
    const auto frame_pointer = read(context + 10 * kWord);
    const auto sp = read(context + 11 * kWord);
    const auto pc = read(context + 12 * kWord);
    return frame_pointer && sp && pc ? std::optional(SavedRegisters{*pc, *sp, *frame_pointer}) : std::nullopt;
}

constexpr std::array<std::string_view, 3> kVariables = {"idmap_pg_dir", "kimage_voffset", "memstart_addr"};

/// No signature; the bits above a 52-bit address; the bits above a 48-bit address.
constexpr std::array<std::uint64_t, 3> kSignatureMasks = {0, 0xfff0'0000'0000'0000, 0xffff'0000'0000'0000};

std::uint64_t signature_mask(const Vmcoreinfo& vmcoreinfo)
{
    return vmcoreinfo.number("NUMBER(KERNELPACMASK)").value_or(0);
}

} // namespace

constinit const Architecture kAarch64 = {
    .elf_machine = EM_AARCH64,
    .name = "aarch64",
    .prstatus_size = 392,
    .prstatus_registers = 112,
    .decode_registers = decode_registers,
    // Firmware at EL3 is not the emulator's.
    .below_firmware = [](const CpuRegisters&, const ReadWord&) { return std::optional<CpuRegisters>(); },
    .cpu_numbers = "",
    .kernel_space = kernel_space,
    .is_kernel_address = is_kernel_address,
    .without_tag = without_tag,
    .stack_size = 16384,
    .variables = kVariables,
    .code = {},
    .irq_stack_pointer = "irq_stack_ptr",
    .irq_stack_structure = "",
    .saved_context = "cpu_context",
    .saved_registers = saved_registers,
    .first_record = [](std::uint64_t frame_pointer, const ReadWord&) { return frame_pointer; },
    .read_frame_record = read_frame_record,
    .interrupted_stack = nullptr,
    .signature_masks = kSignatureMasks,
    .signature_mask = signature_mask,
};

} // namespace kmd
