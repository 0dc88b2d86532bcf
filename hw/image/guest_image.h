// SPDX-License-Identifier: GPL-2.0-or-later
//
// The core image that the guest itself describes: its ELF header region, its vmcoreinfo, then every region at
// the offset in the guest's program headers. docs/core-image.md describes the layout.
#pragma once

#include "common/machine.h"
#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

namespace kmd
{

/// A plan for that image, or an error that says what is wrong with the guest's header, which can be
/// incomplete, corrupt or malicious. A program header whose region is missing or no longer RAM becomes zeros
/// at its offset; only that region counts as rejected. A region without a program header is not in the file;
/// Plan::not_described counts it.
Result<Plan> compose_guest_image(const CheckedRegions& regions, GuestMemory& memory, const Machine& machine);

} // namespace kmd
