// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks that a file belongs to the kernel of a dump.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <libelf.h>

#include <optional>

namespace kmdump
{

/// An error if the build ID of the file differs from BUILD-ID in `vmcoreinfo`. If either has none, the Linux
/// release in the file is compared with OSRELEASE; no release is no error. `elf` must be an ELF file.
std::optional<kmd::Error> check_kernel(Elf* elf, const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
