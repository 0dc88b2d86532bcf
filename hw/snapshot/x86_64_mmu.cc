// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/x86_64_mmu.h"

#include "common/bits.h"

#include <array>

namespace kmd
{

namespace
{

constexpr unsigned kPaging = 31;     // CR0.PG
constexpr unsigned kFiveLevels = 12; // CR4.LA57
constexpr unsigned kLongMode = 10;   // EFER.LMA

/// Linux: PTI_USER_PGTABLE_BIT.
constexpr std::uint64_t kRootForPrograms = 1 << 12;

constexpr bool bit(std::uint64_t word, unsigned number)
{
    return field(word, number, number) != 0;
}

} // namespace

std::optional<X86_64Mmu> X86_64Mmu::of_cpu(const CpuState& cpu, SystemRegisters& registers)
{
    std::array<SystemRegister, 4> values = {
        SystemRegister{.field = "env.cr[0]"}, SystemRegister{.field = "env.cr[3]"},
        SystemRegister{.field = "env.cr[4]"}, SystemRegister{.field = "env.efer"}};
    registers.read_registers(cpu.cpu, values);
    const auto& [cr0, cr3, cr4, efer] = values;
    if (!cr0.value || !cr3.value || !cr4.value || !efer.value) {
        return std::nullopt;
    }
    X86_64Mmu mmu;
    if (!bit(*cr0.value, kPaging)) {
        return mmu;
    }
    if (!bit(*efer.value, kLongMode)) {
        return std::nullopt;
    }
    mmu.tables_.emplace(X86_64Tables::table_address(*cr3.value), bit(*cr4.value, kFiveLevels) ? 5 : 4);
    return mmu;
}

std::optional<std::uint64_t> X86_64Mmu::translate(std::uint64_t virt, GuestMemory& memory) const
{
    if (!tables_) {
        return virt;
    }
    const unsigned sign = X86_64Tables::address_bits(tables_->levels()) - 1;
    const std::uint64_t above = field(virt, 63, sign);
    const bool canonical = above == 0 || above == bits(63 - sign, 0);
    return canonical ? tables_->find(virt, memory) : std::nullopt;
}

std::optional<bool> X86_64Mmu::uses(const PageTables& kernel, GuestMemory& memory) const
{
    if (!tables_) {
        return std::nullopt;
    }
    const std::uint64_t root = tables_->root();
    return kernel.are_reached_from(*tables_, memory) ||
           ((root & kRootForPrograms) != 0 &&
            kernel.are_reached_from(X86_64Tables(root & ~kRootForPrograms, tables_->levels()), memory));
}

} // namespace kmd
