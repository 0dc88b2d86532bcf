// SPDX-License-Identifier: GPL-2.0-or-later
//
// The types of a kernel module: BTF in the dump, which continues that of the kernel.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/symbols.h"
#include "kmdump/kernel/types.h"

#include <cstddef>
#include <string>
#include <vector>

namespace kmdump
{

/// The BTF of the module, as the kernel has it in its memory. `kernel` has the types of its kernel. An error
/// if the dump has none of that module, or if it is not BTF.
kmd::Result<std::vector<std::byte>> find_module_types(const Dump& dump, const Symbols& symbols,
                                                      const Types& kernel, const std::string& module);

} // namespace kmdump
