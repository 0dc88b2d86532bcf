// SPDX-License-Identifier: GPL-2.0-or-later
//
// The machine that a dump is of, in the terms of <elf.h>.
#pragma once

#include <cstdint>

namespace kmd
{

struct Machine {
    /// e_machine, for example EM_X86_64.
    std::uint16_t elf_machine = 0;
    /// ELFCLASS64 and ELFDATA2LSB by default: core images of other machines are not supported.
    std::uint8_t elf_class = 2;
    std::uint8_t elf_data = 1;

    bool is_64_bit_little_endian() const { return elf_class == 2 && elf_data == 1; }
};

} // namespace kmd
