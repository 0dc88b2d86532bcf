// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the guest's driver tells of the kernel's structures, in a region of text named kmd_layout.
#pragma once

#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"

namespace kmdump
{

/// The text, which is in the syntax of vmcoreinfo. It is known by its first line, "KMD_LAYOUT=1", at the
/// start of a page, and by its own address, which a copy of it does not have. Empty when there is none in
/// the first GiB of the dump's memory.
kmd::Vmcoreinfo find_layout(const CoreFile& core);

} // namespace kmdump
