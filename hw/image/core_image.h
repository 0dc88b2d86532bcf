// SPDX-License-Identifier: GPL-2.0-or-later
//
// Composes an ELF core image from a snapshot. The layout, and why it is so, is in docs/core-image.md.
#pragma once

#include "common/machine.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/snapshot.h"

namespace kmd
{

/// Every byte of guest RAM is in the body at most once, however many regions hold it. What is worth most
/// comes first in the file: the log, the stacks, the page tables, then the rest. The guest's own ELF header
/// stays out: gdb takes a segment that begins with one for another core.
Plan compose_core_image(const Snapshot& snapshot, GuestMemory& memory, const Machine& machine);

} // namespace kmd
