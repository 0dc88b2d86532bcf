// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds errors in a dump.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

struct Finding {
    /// False: a warning. Some reader cannot handle it, but the dump is complete and consistent.
    bool error = true;
    std::string what; ///< a sentence without a full stop
};

/// Checks structure, offsets, overlaps, notes and page tables, and that the sidecar, if any, agrees.
/// `stored_bytes`: size of the dump file, before decompression.
std::vector<Finding> check_dump(const CoreFile& core, const std::optional<Sidecar>& sidecar,
                                std::uint64_t stored_bytes);

} // namespace kmdump
