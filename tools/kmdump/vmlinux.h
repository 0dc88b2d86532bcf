// SPDX-License-Identifier: GPL-2.0-or-later
//
// The symbol table of a vmlinux file.
#pragma once

#include "result.h"
#include "symbols.h"

#include <cstdint>
#include <string>

namespace kmdump
{

/// `kaslr_offset`: how far the running kernel is from where it was linked to, in bytes (KERNELOFFSET).
kmd::Result<Symbols> read_vmlinux(const std::string& path, std::uint64_t kaslr_offset);

} // namespace kmdump
