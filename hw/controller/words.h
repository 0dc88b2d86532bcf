// SPDX-License-Identifier: GPL-2.0-or-later
//
// Texts for reasons and results, in messages, properties and file names.
#pragma once

#include "common/kmemdump_md_regs.h"

namespace kmd
{

/// For example "panic".
const char* reason_name(kmd_reason reason);

/// What a result means, as the end of a sentence about a dump.
const char* result_text(kmd_result result);

/// Whether a dump with this result has a file, complete or not.
bool has_file(kmd_result result);

/// Whether the guest can cause a dump with this reason. Requests of the user have no limit.
bool guest_can_cause(kmd_reason reason);

} // namespace kmd
