// SPDX-License-Identifier: GPL-2.0-or-later
//
// Composes an ELF core image from a snapshot. docs/core-image.md explains the layout.
#pragma once

#include "common/machine.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/snapshot/snapshot.h"

namespace kmd
{

/// The body contains every byte of guest RAM at most once, even if several regions share it. The most
/// important memory comes first: the log, the stacks, the page tables, then the rest. The guest's own ELF
/// header is omitted: gdb takes a segment that begins with one for another core file.
Plan compose_core_image(const Snapshot& snapshot, GuestMemory& memory, const Machine& machine);

} // namespace kmd
