// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/riscv64_mmu.h"

#include "common/bits.h"

#include <array>

namespace kmd
{

namespace
{

constexpr std::uint64_t kMachineMode = 3;

/// satp.MODE
constexpr std::uint64_t kBare = 0;
constexpr std::uint64_t kSv39 = 8;
constexpr std::uint64_t kSv57 = 10;

} // namespace

std::optional<Riscv64Mmu> Riscv64Mmu::of_cpu(const CpuState& cpu, SystemRegisters& registers)
{
    std::array<SystemRegister, 2> values = {SystemRegister{.field = "env.satp"},
                                            SystemRegister{.field = "env.priv"}};
    registers.read_registers(cpu.cpu, values);
    const auto satp = values[0].value;
    if (!satp) {
        return std::nullopt;
    }
    Riscv64Mmu mmu;
    mmu.in_firmware_ = values[1].value == kMachineMode;
    const std::uint64_t mode = field(*satp, 63, 60);
    if (mode == kBare) {
        return mmu;
    }
    if (mode < kSv39 || mode > kSv57) {
        return std::nullopt;
    }
    mmu.tables_.emplace(field(*satp, 43, 0) << 12, static_cast<unsigned>(mode - kSv39 + 3));
    return mmu;
}

std::optional<std::uint64_t> Riscv64Mmu::translate(std::uint64_t virt, GuestMemory& memory) const
{
    if (!tables_ || (in_firmware_ && field(virt, 63, 63) == 0)) {
        return virt;
    }
    const unsigned sign = Riscv64Tables::address_bits(tables_->levels()) - 1;
    const std::uint64_t above = field(virt, 63, sign);
    const bool canonical = above == 0 || above == bits(63 - sign, 0);
    return canonical ? tables_->find(virt, memory) : std::nullopt;
}

std::optional<bool> Riscv64Mmu::uses(const PageTables& kernel, GuestMemory& memory) const
{
    return tables_ ? std::optional(kernel.are_reached_from(*tables_, memory)) : std::nullopt;
}

} // namespace kmd
