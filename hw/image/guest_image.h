// SPDX-License-Identifier: GPL-2.0-or-later
//
// The core image that the guest itself describes: its ELF header region, its vmcoreinfo, then every
// region where the guest's program headers put it. Nothing is added and nothing is moved; the
// layout is in docs/core-image.md.
#pragma once

#include "common/machine.h"
#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

namespace kmd
{

/// A plan for that image, or what is wrong with the guest's header: it is the guest's to write, and
/// can be half written, corrupt or a lie. A program header whose region is missing or not RAM any
/// more becomes zeros at its own offset, and counts as rejected for that region alone. A region without a
/// program header is not in the file, and counted.
Result<Plan> compose_guest_image(const CheckedRegions& regions, GuestMemory& memory, const Machine& machine);

} // namespace kmd
