// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a file is of the kernel that a dump is of.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <libelf.h>

#include <optional>

namespace kmdump
{

/// An error, with both, when the build ID of the file is not the BUILD-ID of `vmcoreinfo`; where one of them
/// has none, when the file names a release of Linux, and not the dump's. `elf` is an ELF file.
std::optional<kmd::Error> check_kernel(Elf* elf, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
