// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the members of the kernel's tasks are: from the dump, or from a vmlinux file.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/struct_layout.h"

#include <string>

namespace kmdump
{

/// The member offsets that read_tasks() needs: those of `vmlinux`, or, if that is empty, those of the dump,
/// which has them if the controller found the kernel by itself. An error if one is missing or the file is of
/// another kernel.
kmd::Result<MemberOffsets> read_task_layout(const Dump& dump, const std::string& vmlinux = {});

/// The error for a dump of a machine whose tasks cannot be read.
kmd::Error unknown_machine(const Dump& dump);

} // namespace kmdump
