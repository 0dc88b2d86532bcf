// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump report: all that a dump says, as one page.
#pragma once

#include "common/result.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct ReportOptions {
    std::string path;
    std::string vmlinux; ///< for the tasks, and for symbols that the dump has not; empty: none
    std::string output;  ///< file for the page; empty: `out`
    bool json = false;
};

/// The page appears at `output` whole or not at all. The error is why the dump or the vmlinux file cannot be
/// read, or the page not written; a part that the dump has not is none.
std::optional<kmd::Error> write_report(const ReportOptions& options, std::ostream& out);

} // namespace kmdump
