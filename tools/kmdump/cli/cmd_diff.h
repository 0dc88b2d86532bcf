// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump diff: what two dumps say differently.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <ostream>
#include <string>

namespace kmdump
{

struct DiffOptions {
    std::string path; ///< of the first dump
    std::string other;
    bool json = false;
};

/// Writes to `out`. True when there is no difference.
kmd::Result<bool> print_diff(const DiffOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
