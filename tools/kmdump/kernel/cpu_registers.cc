// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/cpu_registers.h"

#include "common/architecture.h"

#include <span>
#include <string>

namespace kmdump
{

kmd::Result<std::vector<kmd::CpuRegisters>> read_cpu_registers(const CoreSummary& summary)
{
    const kmd::Architecture* const architecture = kmd::find_architecture(summary.machine);
    if (architecture == nullptr) {
        return kmd::Error{"expected the registers of " + kmd::names_of_architectures() +
                          ", found ELF machine " + std::to_string(summary.machine)};
    }
    std::vector<kmd::CpuRegisters> cpus;
    for (const auto& note : summary.prstatus) {
        if (note.size() < architecture->prstatus_size) {
            return kmd::Error{"expected the registers of CPU " + std::to_string(cpus.size()) +
                              ", found a note of " + std::to_string(note.size()) + " bytes"};
        }
        cpus.push_back(
            architecture->decode_registers(std::span(note).subspan(architecture->prstatus_registers)));
    }
    return cpus;
}

} // namespace kmdump
