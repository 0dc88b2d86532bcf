// SPDX-License-Identifier: GPL-2.0-or-later
//
// An owning handle of libelf.
#pragma once

#include <libelf.h>

#include <memory>

namespace kmdump
{

struct ElfEnd {
    void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

} // namespace kmdump
