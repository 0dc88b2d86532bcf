// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line of kmdump.
#pragma once

#include "kmdump/cli/style.h"

#include <ostream>

namespace kmdump
{

/// Exit statuses of kmdump.
inline constexpr int kOk = 0;
inline constexpr int kDumpError = 1;  ///< the dump cannot be read, or the output not written
inline constexpr int kUsageError = 2; ///< the command line makes no sense

/// Runs one command. Results go to `out`; errors to `err`, each as one line.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, const Style& style = {});

} // namespace kmdump
