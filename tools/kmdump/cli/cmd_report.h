// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump report: everything in a dump as one HTML page.
#pragma once

#include "common/result.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct ReportOptions {
    std::string path;
    std::string vmlinux; ///< for the tasks, and for symbols that the dump lacks; empty: none
    std::string output;  ///< file for the page; empty: `out`
    bool json = false;
};

/// The file `output` appears only when it is complete. An error if the dump or the vmlinux file cannot be
/// read or the page cannot be written; parts that the dump lacks are no error.
std::optional<kmd::Error> write_report(const ReportOptions& options, std::ostream& out);

} // namespace kmdump
