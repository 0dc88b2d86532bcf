// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/cpu_mmu.h"

#include "common/aarch64.h"
#include "common/riscv64.h"
#include "common/x86_64.h"
#include "hw/snapshot/aarch64_mmu.h"
#include "hw/snapshot/riscv64_mmu.h"
#include "hw/snapshot/x86_64_mmu.h"

namespace kmd
{

std::unique_ptr<CpuMmu> mmu_of(const CpuState& cpu, const Machine& machine, SystemRegisters& registers)
{
    if (machine.elf_machine == kAarch64.elf_machine) {
        if (const auto mmu = Aarch64Mmu::of_cpu(cpu, registers)) {
            return std::make_unique<Aarch64Mmu>(*mmu);
        }
    }
    if (machine.elf_machine == kRiscv64.elf_machine) {
        if (const auto mmu = Riscv64Mmu::of_cpu(cpu, registers)) {
            return std::make_unique<Riscv64Mmu>(*mmu);
        }
    }
    if (machine.elf_machine == kX86_64.elf_machine) {
        if (const auto mmu = X86_64Mmu::of_cpu(cpu, registers)) {
            return std::make_unique<X86_64Mmu>(*mmu);
        }
    }
    return nullptr;
}

} // namespace kmd
