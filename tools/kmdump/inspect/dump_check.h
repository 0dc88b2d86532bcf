// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is wrong with a dump, as far as it can be seen from outside.
#pragma once

#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"

#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// One thing that is wrong.
struct Finding {
    /// False: some reader stumbles over it, but nothing is lost and nothing contradicts itself.
    bool error = true;
    std::string what; ///< a sentence without a full stop
};

/// Structure, offsets, overlaps, notes, page tables; with a sidecar also whether both agree.
/// `stored_bytes`: size of the file on the disk.
std::vector<Finding> check_dump(const CoreFile& core, const std::optional<Sidecar>& sidecar,
                                std::uint64_t stored_bytes);

} // namespace kmdump
