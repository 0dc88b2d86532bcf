// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's structure offsets and addresses: the guest's driver registers them as the region kmd_layout;
// of a kernel that the controller found by itself they are in a note.
#pragma once

#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"

namespace kmdump
{

/// Finds the text, which has the syntax of vmcoreinfo: that of the note, if there is one. The region starts a
/// page with the line "KMD_LAYOUT=1", and names its own address, which tells it from copies. Empty if the
/// first GiB of the dump's memory does not have it.
kmd::Vmcoreinfo find_layout(const CoreFile& core);

} // namespace kmdump
