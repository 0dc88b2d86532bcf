// SPDX-License-Identifier: GPL-2.0-or-later
//
// x86-64, and Linux on it.
#include "common/x86_64.h"

#include "common/little_endian.h"
#include "common/x86_64_tables.h"

#include <elf.h>

#include <array>
#include <string_view>

namespace kmd
{

namespace
{

constexpr std::size_t kWord = sizeof(std::uint64_t);

/// Places in pr_reg, which is struct user_regs_struct of x86-64.
constexpr std::size_t kRbp = 4;
constexpr std::size_t kRip = 16;
constexpr std::size_t kCs = 17;
constexpr std::size_t kFlags = 18;
constexpr std::size_t kRsp = 19;

constexpr std::array<std::string_view, 15> kNames = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                                     "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
constexpr std::array<std::size_t, kNames.size()> kPlaces = {10, 5, 11, 12, 13, 14, kRbp, 9,
                                                            8,  7, 6,  3,  2,  1,  0};

/// The kernel's half of the address space.
bool is_kernel_address(std::uint64_t address)
{
    return address >> 63 != 0;
}

CpuRegisters decode_registers(std::span<const std::byte> registers)
{
    constexpr std::uint64_t kPrivilege = 3;
    const auto at = [&](std::size_t index) { return load<std::uint64_t>(registers, kWord * index); };
    CpuRegisters decoded;
    decoded.general_names = kNames;
    for (const std::size_t place : kPlaces) {
        decoded.general.push_back(at(place));
    }
    decoded.pc = at(kRip);
    decoded.sp = at(kRsp);
    decoded.state_name = "flags";
    decoded.state = at(kFlags);
    decoded.frame_pointer = at(kRbp);
    decoded.link_name = "";
    const bool privileged = (at(kCs) & kPrivilege) == 0;
    decoded.in_kernel = privileged && is_kernel_address(decoded.pc);
    decoded.in_firmware = privileged && !decoded.in_kernel && !decoded.are_zeros();
    return decoded;
}

std::uint64_t without_tag(std::uint64_t address)
{
    return address;
}

/// Where the kernel maps its image: __START_KERNEL_map.
constexpr std::uint64_t kImageMap = 0xffff'ffff'8000'0000;

/// The linear map begins here or, at random, above: behind the first entry of the outermost table that can be
/// for a remapped LDT, with 4 and with 5 levels (Documentation/arch/x86/x86_64/mm.rst).
constexpr unsigned kFirstOfLinearMap = 273;
/// The kernel leaves that much of the address space to the linear map in any case, whatever follows it.
constexpr std::uint64_t kLeastLinearMap = std::uint64_t{1} << 40;

/// vmcoreinfo does not say where the linear map begins. It is the first of the kernel's maps, its first
/// gibibyte that is mapped is the first of RAM, and it maps the kernel's own tables.
std::optional<KernelSpace::LinearMap> find_linear_map(const X86_64Tables& tables, PhysicalMemory& memory)
{
    const auto base = tables.first_mapped_gibibyte(kFirstOfLinearMap, memory);
    if (!base || *base >= kImageMap - kLeastLinearMap) {
        return std::nullopt;
    }
    const Translation root = tables.translate(*base + tables.root(), memory);
    // A dump may lack the tables to tell.
    if (root.mapping == Mapping::kNotMapped ||
        (root.mapping == Mapping::kMapped && root.phys != tables.root())) {
        return std::nullopt;
    }
    return KernelSpace::LinearMap{{*base, *base + kLeastLinearMap - 1}, *base};
}

KernelSpace kernel_space(const Vmcoreinfo& vmcoreinfo, PhysicalMemory& memory)
{
    KernelSpace space;
    const auto phys_base = vmcoreinfo.number("NUMBER(phys_base)");
    auto root = vmcoreinfo.symbol("SYMBOL(init_top_pgt)");
    if (!root) {
        root = vmcoreinfo.symbol("SYMBOL(swapper_pg_dir)");
    }
    // With memory encryption the tables cannot be read.
    const bool encrypted = vmcoreinfo.number("NUMBER(sme_mask)").value_or(0) != 0;
    if (!phys_base || !root || encrypted) {
        return space;
    }
    const unsigned levels = vmcoreinfo.number("NUMBER(pgtable_l5_enabled)").value_or(0) != 0 ? 5 : 4;
    const X86_64Tables tables(*root - (kImageMap - *phys_base), levels);
    space.image_distance = kImageMap - *phys_base;
    space.root_in_image = *root;
    space.translated = {~std::uint64_t{0} << (X86_64Tables::address_bits(levels) - 1), ~std::uint64_t{0}};
    space.linear_map = find_linear_map(tables, memory);
    space.tables = std::make_shared<X86_64Tables>(tables);
    return space;
}

/// The saved stack pointer is that of struct inactive_task_frame: r15 to r12, bx, bp and the return address.
std::optional<SavedRegisters> saved_registers(std::uint64_t context, const ReadWord& read)
{
    const auto frame = read(context);
    const auto frame_pointer = frame ? read(*frame + 5 * kWord) : std::nullopt;
    const auto pc = frame ? read(*frame + 6 * kWord) : std::nullopt;
    return frame_pointer && pc ? std::optional(SavedRegisters{*pc, *frame + 7 * kWord, *frame_pointer, true})
                               : std::nullopt;
}

/// The last word of an interrupt stack is the interrupted stack pointer, which the kernel stores there. At
/// the end of an exception stack the CPU stores it and the stack segment.
std::optional<std::uint64_t> interrupted_stack(std::uint64_t top, const ReadWord& read)
{
    for (const std::uint64_t before : {kWord, 2 * kWord}) {
        const auto sp = read(top - before);
        if (sp && is_kernel_address(*sp) && *sp % kWord == 0 && read(*sp)) {
            return sp;
        }
    }
    return std::nullopt;
}

/// Most are those that crash reads at its start.
constexpr std::array<std::string_view, 29> kVariables = {"phys_base",
                                                         "page_offset_base",
                                                         "vmalloc_base",
                                                         "vmemmap_base",
                                                         "pgdir_shift",
                                                         "ptrs_per_p4d",
                                                         "sme_me_mask",
                                                         "physical_mask",
                                                         "__pgtable_l5_enabled",
                                                         "idt_table",
                                                         "boot_cpu_data",
                                                         "cpu_tss_rw",
                                                         "cea_exception_stacks",
                                                         "hardirq_stack_ptr",
                                                         "pcpu_hot",
                                                         "cpu_number",
                                                         "current_task",
                                                         "cpu_info",
                                                         "x86_platform",
                                                         "tsc_khz",
                                                         "vector_irq",
                                                         "gdt_page",
                                                         "system_vectors",
                                                         "irq_stack_backing_store",
                                                         "xen_start_info",
                                                         "pv_ops",
                                                         "lookup_num_blocks",
                                                         "crashing_cpu",
                                                         "smp_num_siblings"};

/// crash looks there for frame pointers and, in schedule(), for where a task goes on.
constexpr std::array<std::string_view, 8> kCode = {"__x64_sys_open",  "__x64_sys_fork", "__x64_sys_read",
                                                   "__x64_sys_write", "do_futex",       "vfs_read",
                                                   "__schedule",      "schedule"};

constexpr std::array<std::uint64_t, 1> kSignatureMasks = {0};

std::uint64_t signature_mask(const Vmcoreinfo&)
{
    return 0;
}

} // namespace

constinit const Architecture kX86_64 = {
    .elf_machine = EM_X86_64,
    .name = "x86_64",
    .prstatus_size = 336,
    .prstatus_registers = 112,
    .decode_registers = decode_registers,
    // Firmware does not say whom it interrupted.
    .below_firmware = [](const CpuRegisters&, const ReadWord&) { return std::optional<CpuRegisters>(); },
    .cpu_numbers = "",
    .kernel_space = kernel_space,
    .is_kernel_address = is_kernel_address,
    .without_tag = without_tag,
    .stack_size = 16384,
    .variables = kVariables,
    .code = kCode,
    // crash walks to the stacks for exceptions at its start.
    .irq_stack_pointer = "cea_exception_stacks",
    .irq_stack_structure = "cea_exception_stacks",
    .saved_context = "sp",
    .saved_registers = saved_registers,
    // Kernels of distributions are built without frame pointers.
    .first_record = nullptr,
    .read_frame_record = nullptr,
    .interrupted_stack = interrupted_stack,
    .signature_masks = kSignatureMasks,
    .signature_mask = signature_mask,
};

} // namespace kmd
