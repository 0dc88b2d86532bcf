// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line of kmdump.
#pragma once

#include "kmdump/cli/style.h"
#include "kmdump/core/exit_status.h"

#include <ostream>

namespace kmdump
{

/// Runs one command. Results go to `out`; errors to `err`, each as one line.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, const Style& style = {});

} // namespace kmdump
