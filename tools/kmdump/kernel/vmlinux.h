// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbol table of a vmlinux file.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/symbols.h"

#include <string>

namespace kmdump
{

/// The symbols, moved to the addresses of the running kernel by KERNELOFFSET of `vmcoreinfo`. Empty if the
/// file names no code, as one that has only types. An error if it is of another kernel.
kmd::Result<Symbols> read_vmlinux(const std::string& path, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
