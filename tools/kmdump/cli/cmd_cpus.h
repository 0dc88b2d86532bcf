// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump cpus: registers and backtraces of all CPUs.
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
    std::string vmlinux; ///< source of symbols; empty: the dump itself
    bool json = false;
};

/// Writes to `out`. Missing symbols and stacks are no error; the output says so.
std::optional<kmd::Error> print_cpus(const CpusOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
