// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbol table that a kernel carries in its own memory (CONFIG_KALLSYMS).
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

namespace kmdump
{

/// The symbols of the kernel itself, without its modules. Where names and offsets are only the first of
/// their tables, so are the symbols; where the functions for the kernel's start go on behind a gap, `layout`
/// (see kernel_layout.h) says. An error says which table is not in the dump, or makes no sense. Time and
/// memory are bounded by the size of the file.
kmd::Result<Symbols> read_kallsyms(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                                   const kmd::Vmcoreinfo& layout);

} // namespace kmdump
