// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump cpus: what every CPU was doing.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct CpusOptions {
    std::string path;
    std::string vmlinux; ///< where symbols come from; empty: the dump itself
    bool json = false;
};

/// Writes to `out`. A dump without symbols or stacks is no error: what is missing is said.
std::optional<kmd::Error> print_cpus(const CpusOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
