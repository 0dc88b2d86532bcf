// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/architecture.h"

#include "common/aarch64.h"
#include "common/riscv64.h"
#include "common/x86_64.h"

#include <algorithm>
#include <array>

namespace kmd
{

namespace
{

constexpr std::array<const Architecture*, 3> kArchitectures = {&kAarch64, &kX86_64, &kRiscv64};

} // namespace

const Architecture* find_architecture(std::uint16_t elf_machine)
{
    const auto found =
        std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const Architecture* architecture) {
            return architecture->elf_machine == elf_machine;
        });
    return found == kArchitectures.end() ? nullptr : *found;
}

std::string machine_name(std::uint16_t elf_machine)
{
    if (const Architecture* const architecture = find_architecture(elf_machine)) {
        return architecture->name;
    }
    return "ELF machine " + std::to_string(elf_machine);
}

std::string names_of_architectures()
{
    std::string names;
    for (const Architecture* const architecture : kArchitectures) {
        names += (names.empty() ? "" : " or ") + std::string(architecture->name);
    }
    return names;
}

bool CpuRegisters::are_zeros() const
{
    return pc == 0 && sp == 0 &&
           std::all_of(general.begin(), general.end(), [](std::uint64_t value) { return value == 0; });
}

} // namespace kmd
