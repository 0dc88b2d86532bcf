// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump info: a summary of a dump.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct InfoOptions {
    std::string path;
    bool json = false;
};

/// Writes to `out`. An error if the dump cannot be read; a missing log is none.
std::optional<kmd::Error> print_info(const InfoOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
