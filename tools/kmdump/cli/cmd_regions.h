// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump regions: what lies where.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct RegionsOptions {
    std::string path;
    bool json = false;
};

/// Writes to `out`. Names come from the sidecar beside the dump; without one there are segments only.
std::optional<kmd::Error> print_regions(const RegionsOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
