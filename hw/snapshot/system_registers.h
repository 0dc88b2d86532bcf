// SPDX-License-Identifier: GPL-2.0-or-later
//
// Registers that no ELF note contains, such as those with the addresses of page tables.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace kmd
{

struct SystemRegister {
    /// Name of the field in the emulator's migration state, for example "env.satp"; null: `number` names
    /// the register.
    const char* field = nullptr;
    /// Id of the register in Linux's KVM interface.
    std::uint64_t number = 0;
    /// None if the emulator does not know it.
    std::optional<std::uint64_t> value = {};
};

class SystemRegisters
{
  public:
    virtual ~SystemRegisters() = default;

    /// Fills in the current values of CPU number `cpu`. All CPUs are stopped.
    virtual void read_registers(unsigned cpu, std::span<SystemRegister> registers) = 0;
};

} // namespace kmd
