// SPDX-License-Identifier: GPL-2.0-or-later
//
// A core image of a Linux guest: what every subcommand starts from.
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

    /// Valid as long as this object stays where it is.
    KernelMemory memory() const { return KernelMemory(core, vmcoreinfo); }
};

/// An error as of CoreFile::open(), or when the core image has no note VMCOREINFO.
kmd::Result<Dump> open_dump(const std::string& path);

} // namespace kmdump
