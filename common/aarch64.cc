// SPDX-License-Identifier: GPL-2.0-or-later
//
// AArch64, and Linux on it.
#include "common/aarch64.h"

#include "common/aarch64_tables.h"
#include "common/bits.h"
#include "common/little_endian.h"
#include "common/page_size.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>

namespace kmd
{

namespace
{

constexpr std::size_t kGeneralRegisters = 31;
constexpr std::size_t kWord = sizeof(std::uint64_t);

/// PSTATE of the Arm manual, section C5.2: the exception level is 0 in EL0t, and bit 4 means AArch32, which
/// no kernel runs in.
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
        // The Arm manual, section D1.20: r13 and r14 of a 32-bit program.
        decoded.sp = decoded.general[13];
        decoded.general[30] = decoded.general[14];
    }
    decoded.frame_pointer = decoded.general[29];
    decoded.link = decoded.general[30];
    decoded.in_kernel = (decoded.state & kModeMask) != 0 && (decoded.state & kAarch32) == 0;
    return decoded;
}

/// Bit 55 says which half of the address space, whatever the width and the tag of an address.
bool is_kernel_address(std::uint64_t address)
{
    return field(address, 55, 55) != 0;
}

/// The CPU ignores the upper byte of an address, and KASAN keeps a tag in it.
std::uint64_t without_tag(std::uint64_t address)
{
    return address | bits(63, 56);
}

/// Linux keeps tramp_pg_dir and reserved_pg_dir one or two pages from swapper_pg_dir; which, and on which
/// side, differs between releases.
constexpr std::uint64_t kRootsApart = 4;

/// Bits of a kernel's addresses.
constexpr std::uint64_t kLeastWidth = 36;
constexpr std::uint64_t kMostWidth = 52;

constexpr bool is_width(std::uint64_t bits)
{
    return bits >= kLeastWidth && bits <= kMostWidth;
}

/// The format of swapper_pg_dir; none where vmcoreinfo lacks a value or has one that no Linux has.
std::optional<Aarch64TableFormat> table_format(const Vmcoreinfo& vmcoreinfo)
{
    // A kernel for 52 bits runs on a CPU that has 48 as well: T1SZ tells which. Old kernels do not say.
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
    // With as many levels in either case the root is the larger one, and the sign bits of an address
    // select its upper part.
    format.address_bits =
        Aarch64TableFormat::levels_for(built_for, format.page_shift) == format.levels ? built_for : in_use;
    format.lpa2 = in_use > 48 && format.page_shift < 16;
    return format;
}

KernelSpace kernel_space(const Vmcoreinfo& vmcoreinfo)
{
    KernelSpace space;
    space.image_distance = vmcoreinfo.number("NUMBER(kimage_voffset)");
    const auto va_bits = vmcoreinfo.number("NUMBER(VA_BITS)");
    const auto phys_offset = vmcoreinfo.number("NUMBER(PHYS_OFFSET)");
    if (va_bits && is_width(*va_bits) && phys_offset) {
        // The lower half of the kernel's addresses; of a kernel for 52 bits, all but the upper half of 48,
        // also where it runs with 48: it corrects PHYS_OFFSET then.
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
        space.other_roots_within = kRootsApart * (in_page + 1);
        space.translated = {~std::uint64_t{0} << format->address_bits, ~std::uint64_t{0}};
        space.tables = std::make_shared<Aarch64Tables>(*format);
    }
    return space;
}

/// A record of two zeros ends the chain, or says in the next word how it goes on (since Linux 6.13): here,
/// with the registers that an exception saved around the record. Offsets in struct pt_regs, in bytes.
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
        // The kernel was entered from a program here.
        return {Kind::kEnd};
    }
    return {Kind::kException, *interrupted, read(registers + kX30).value_or(0), *outer};
}

/// None, those above 52-bit addresses, those above 48-bit ones.
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
    .kernel_space = kernel_space,
    .is_kernel_address = is_kernel_address,
    .without_tag = without_tag,
    .stack_size = 16384,
    // struct cpu_context begins with x19 to x28, and goes on with fp, sp and pc.
    .saved_context = "cpu_context",
    .saved_frame_pointer = 80,
    .saved_pc = 96,
    .read_frame_record = read_frame_record,
    .signature_masks = kSignatureMasks,
    .signature_mask = signature_mask,
};

} // namespace kmd
