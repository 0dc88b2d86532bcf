// SPDX-License-Identifier: GPL-2.0-or-later
//
// A core image of a Linux guest.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/core/core_file.h"
#include "kmdump/kernel/kernel_memory.h"

#include <string>

namespace kmdump
{

struct Dump {
    CoreFile core;
    kmd::Vmcoreinfo vmcoreinfo;

    /// Valid as long as this object is neither moved nor destroyed.
    KernelMemory memory() const { return KernelMemory(core, vmcoreinfo); }
};

/// An error of CoreFile::open(), or if the core image has no VMCOREINFO note.
kmd::Result<Dump> open_dump(const std::string& path);

} // namespace kmdump
