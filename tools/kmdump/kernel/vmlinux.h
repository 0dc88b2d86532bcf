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

/// The symbols at the addresses of the running kernel (KERNELOFFSET of `vmcoreinfo`). A file without a symbol
/// table has none, and that is no error; one of another kernel is.
kmd::Result<Symbols> read_vmlinux(const std::string& path, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
