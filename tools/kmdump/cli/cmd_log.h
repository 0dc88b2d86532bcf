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
    bool caller = false;               ///< show who wrote each record
    std::optional<std::uint64_t> last; ///< only so many records, the newest
};

/// Writes to `out`. Records that can be read are written even if others are damaged; that is an
/// error all the same.
std::optional<kmd::Error> print_log(const LogOptions& options, std::ostream& out);

} // namespace kmdump
