// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/cpu_registers.h"

#include "kmdump/text/little_endian.h"

#include <elf.h>

#include <cstddef>
#include <span>
#include <string>

namespace kmdump
{

namespace
{

/// struct elf_prstatus of arm64: where pr_reg is, and what is in it.
constexpr std::size_t kRegistersAt = 112;
constexpr std::size_t kRegisterCount = 34;

/// PSTATE of the Arm manual: the exception level is 0 in EL0t, and bit 4 means AArch32, which no kernel runs
/// in.
constexpr std::uint64_t kModeMask = 0x1f;
constexpr std::uint64_t kAarch32 = 0x10;

CpuRegisters decode(std::span<const std::byte> note)
{
    const auto at = [note](std::size_t index) { return load<std::uint64_t>(note, kRegistersAt + 8 * index); };
    CpuRegisters registers;
    for (std::size_t i = 0; i < registers.x.size(); ++i) {
        registers.x[i] = at(i);
    }
    registers.sp = at(31);
    registers.pc = at(32);
    registers.pstate = at(33);
    if ((registers.pstate & kAarch32) != 0) {
        // The Arm manual, section D1.20: r13 and r14 of a 32-bit program.
        registers.sp = registers.x[13];
        registers.x[30] = registers.x[14];
    }
    return registers;
}

} // namespace

bool CpuRegisters::in_kernel() const
{
    return (pstate & kModeMask) != 0 && (pstate & kAarch32) == 0;
}

kmd::Result<std::vector<CpuRegisters>> read_cpu_registers(const CoreSummary& summary)
{
    if (summary.machine != EM_AARCH64) {
        return kmd::Error{"expected the registers of aarch64, found ELF machine " +
                          std::to_string(summary.machine)};
    }
    std::vector<CpuRegisters> cpus;
    for (const auto& note : summary.prstatus) {
        if (note.size() < kRegistersAt + 8 * kRegisterCount) {
            return kmd::Error{"expected the registers of CPU " + std::to_string(cpus.size()) +
                              ", found a note of " + std::to_string(note.size()) + " bytes"};
        }
        cpus.push_back(decode(note));
    }
    return cpus;
}

} // namespace kmdump
