// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump log: the guest's kernel log.
#pragma once

#include "common/result.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct LogOptions {
    std::string path;
    bool json = false;
    bool caller = false;               ///< show the thread or CPU of each record
    std::optional<std::uint64_t> last; ///< only this many records, the newest
};

/// Writes to `out`. Damaged records are an error, but the others are written first.
std::optional<kmd::Error> print_log(const LogOptions& options, std::ostream& out);

} // namespace kmdump
