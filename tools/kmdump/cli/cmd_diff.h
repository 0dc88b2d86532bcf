// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump diff: compares two dumps.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <ostream>
#include <string>

namespace kmdump
{

struct DiffOptions {
    std::string path;  ///< of the first dump
    std::string other; ///< of the second dump
    bool json = false;
};

/// Writes to `out`. True if there is no difference.
kmd::Result<bool> print_diff(const DiffOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
