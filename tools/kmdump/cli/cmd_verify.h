// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump verify: checks a dump.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct VerifyOptions {
    std::string path;
    bool json = false;
};

/// Writes a line for each finding to `out`. True if the dump is sound.
kmd::Result<bool> verify(const VerifyOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
