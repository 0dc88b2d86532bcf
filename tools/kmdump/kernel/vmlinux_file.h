// SPDX-License-Identifier: GPL-2.0-or-later
//
// A vmlinux file of a dump's kernel.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"
#include "kmdump/core/elf_handle.h"
#include "kmdump/core/file.h"

#include <string>

namespace kmdump
{

struct VmlinuxFile {
    File file;
    ElfHandle elf; ///< of `file`
};

/// An error if it cannot be read, is not ELF, or is not of the kernel of `vmcoreinfo`; it does not name the
/// path.
kmd::Result<VmlinuxFile> open_vmlinux(const std::string& path, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
