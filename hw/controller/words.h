// SPDX-License-Identifier: GPL-2.0-or-later
//
// The words for reasons and results, in messages, properties and file names.
#pragma once

#include "common/kmemdump_md_regs.h"

namespace kmd
{

/// For example "panic".
const char* reason_name(kmd_reason reason);

/// What a result means, as the rest of a sentence about a dump.
const char* result_text(kmd_result result);

/// Whether the host has something of the dump.
bool has_file(kmd_result result);

/// Whether the guest can cause a dump with this reason. What the person at the host asks for has no limit.
bool guest_can_cause(kmd_reason reason);

} // namespace kmd
