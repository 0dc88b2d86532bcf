// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump regions: lists the memory in a dump.
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

/// Writes to `out`. Names come from the sidecar; without one only segments are listed.
std::optional<kmd::Error> print_regions(const RegionsOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
