// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/aarch64_mmu.h"

#include "common/bits.h"

#include <algorithm>
#include <array>
#include <bit>

namespace kmd
{

namespace
{

/// KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG.
constexpr std::uint64_t system_register(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    return 0x6030'0000'0013'0000 | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

constexpr std::uint64_t kHcrEl2 = system_register(3, 4, 1, 1, 0);

/// The registers of a translation regime; op1 is 0 for EL1 and 4 for EL2.
struct Regime {
    std::uint64_t sctlr, tcr, ttbr0, ttbr1;
};

constexpr Regime regime_of(unsigned op1)
{
    return {system_register(3, op1, 1, 0, 0), system_register(3, op1, 2, 0, 2),
            system_register(3, op1, 2, 0, 0), system_register(3, op1, 2, 0, 1)};
}

/// Bits of HCR_EL2. E2H: a host kernel runs at EL2; TGE: its user programs run in the EL2&0 regime.
constexpr std::uint64_t kE2h = std::uint64_t{1} << 34;
constexpr std::uint64_t kTge = std::uint64_t{1} << 27;

/// TCR_ELx.TG0; 0: reserved.
constexpr std::array<unsigned, 4> kLowerPages = {12, 16, 14, 0};
/// TCR_ELx.TG1.
constexpr std::array<unsigned, 4> kUpperPages = {0, 14, 12, 16};

/// TCR_ELx.IPS or PS: 52-bit physical addresses.
constexpr std::uint64_t kSizeOf52Bits = 6;

constexpr unsigned kEl2 = 2;

class RegisterValues
{
  public:
    RegisterValues(unsigned cpu, SystemRegisters& registers)
    {
        std::size_t i = 0;
        for (const unsigned op1 : {0u, 4u}) {
            const Regime regime = regime_of(op1);
            for (const std::uint64_t number : {regime.sctlr, regime.tcr, regime.ttbr0, regime.ttbr1}) {
                registers_.at(i++).number = number;
            }
        }
        registers_.at(i).number = kHcrEl2;
        registers.read_registers(cpu, registers_);
    }

    std::optional<std::uint64_t> operator[](std::uint64_t number) const
    {
        const auto found = std::find_if(registers_.begin(), registers_.end(),
                                        [&](const SystemRegister& r) { return r.number == number; });
        return found == registers_.end() ? std::nullopt : found->value;
    }

  private:
    std::array<SystemRegister, 9> registers_;
};

} // namespace

std::optional<Aarch64Mmu> Aarch64Mmu::of_cpu(const CpuState& cpu, SystemRegisters& registers)
{
    const RegisterValues values(cpu.cpu, registers);
    // Absent on a CPU without EL2.
    const std::uint64_t hcr = values[kHcrEl2].value_or(0);
    const std::uint64_t exception_level = field(cpu.registers.state, 3, 2); // PSTATE.EL
    if (exception_level > kEl2) {
        return std::nullopt;
    }
    const bool kernel_at_el2 = (hcr & kE2h) != 0;
    const bool users_of_el2 = kernel_at_el2 && (hcr & kTge) != 0;
    const bool at_el2 = exception_level == kEl2 || (exception_level == 0 && users_of_el2);
    const Regime names = regime_of(at_el2 ? 4 : 0);
    const auto sctlr = values[names.sctlr];
    const auto tcr = values[names.tcr];
    const auto ttbr0 = values[names.ttbr0];
    if (!sctlr || !tcr || !ttbr0) {
        return std::nullopt;
    }
    Aarch64Mmu mmu;
    mmu.on_ = (*sctlr & 1) != 0;
    if (at_el2 && !kernel_at_el2) {
        mmu.set_lower_half_only(*tcr, *ttbr0);
        return mmu;
    }
    const auto ttbr1 = values[names.ttbr1];
    if (!ttbr1) {
        return std::nullopt;
    }
    mmu.set_halves(*tcr, *ttbr0, *ttbr1);
    return mmu;
}

std::optional<Aarch64Mmu::Half> Aarch64Mmu::half(std::uint64_t root, std::uint64_t size_offset,
                                                 unsigned page_shift, bool tagged, bool wide)
{
    const auto address_bits = static_cast<unsigned>(64 - size_offset);
    const unsigned most = page_shift == 16 || wide ? 52 : 48;
    if (page_shift == 0 || address_bits > most || address_bits <= page_shift) {
        return std::nullopt;
    }
    Aarch64TableFormat tables;
    tables.page_shift = page_shift;
    tables.address_bits = address_bits;
    tables.levels = Aarch64TableFormat::levels_for(address_bits, page_shift);
    tables.lpa2 = wide && page_shift != 16;
    // The root table is aligned to its size and, with 52-bit addresses, to at least 64 bytes: bits 5:2 then
    // hold bits 51:48 of the address.
    const unsigned per_level = page_shift - 3;
    const unsigned root_bits = address_bits - page_shift - (tables.levels - 1) * per_level;
    tables.root = root & bits(47, std::max(root_bits + 3, wide ? 6u : 0u));
    if (wide) {
        tables.root |= field(root, 5, 2) << 48;
    }
    return Half{Aarch64Tables(tables), tagged};
}

void Aarch64Mmu::set_halves(std::uint64_t control, std::uint64_t lower_root, std::uint64_t upper_root)
{
    const bool ds = field(control, 59, 59) != 0;
    const bool wide = ds || field(control, 34, 32) == kSizeOf52Bits;
    const auto half_of = [&](std::uint64_t root, std::uint64_t size_offset, unsigned page_shift,
                             bool tagged) {
        return half(root, size_offset, page_shift, tagged, page_shift == 16 ? wide : ds);
    };
    if (field(control, 7, 7) == 0) { // EPD0
        lower_ = half_of(lower_root, field(control, 5, 0), kLowerPages.at(field(control, 15, 14)),
                         field(control, 37, 37) != 0);
    }
    if (field(control, 23, 23) == 0) { // EPD1
        upper_ = half_of(upper_root, field(control, 21, 16), kUpperPages.at(field(control, 31, 30)),
                         field(control, 38, 38) != 0);
    }
}

/// Without E2H, TCR_EL2 has another layout than TCR_EL1.
void Aarch64Mmu::set_lower_half_only(std::uint64_t control, std::uint64_t root)
{
    const bool ds = field(control, 32, 32) != 0;
    const unsigned page_shift = kLowerPages.at(field(control, 15, 14));
    const bool wide = ds || (page_shift == 16 && field(control, 18, 16) == kSizeOf52Bits);
    lower_ = half(root, field(control, 5, 0), page_shift, field(control, 20, 20) != 0, wide);
}

std::optional<std::uint64_t> Aarch64Mmu::translate(std::uint64_t virt, GuestMemory& memory) const
{
    if (!on_) {
        return virt;
    }
    const bool in_upper = field(virt, 55, 55) != 0;
    const auto& half = in_upper ? upper_ : lower_;
    if (!half) {
        return std::nullopt;
    }
    const unsigned address_bits = half->tables.format().address_bits;
    const std::uint64_t sign = field(virt, half->tagged ? 55 : 63, address_bits);
    const std::uint64_t all = field(in_upper ? ~std::uint64_t{0} : 0, half->tagged ? 55 : 63, address_bits);
    return sign == all ? half->tables.find(virt, memory) : std::nullopt;
}

std::optional<bool> Aarch64Mmu::uses(const PageTables& kernel, GuestMemory&) const
{
    const auto root = kernel_root();
    return root ? std::optional(kernel.owns_root(*root)) : std::nullopt;
}

std::optional<std::uint64_t> Aarch64Mmu::kernel_root() const
{
    return on_ && upper_ ? std::optional(upper_->tables.root()) : std::nullopt;
}

} // namespace kmd
