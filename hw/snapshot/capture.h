// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump is wanted to hold: the property capture=.
#pragma once

#include "common/result.h"

#include <string>

namespace kmd
{

struct Capture {
    /// The regions that the guest registered.
    bool regions = true;
    /// The registers of every CPU.
    bool cpus = true;
    /// The stacks that the CPUs stand on.
    bool stacks = true;
    /// The page tables that lead to the regions and stacks.
    bool tables = true;
};

/// A list of the words regions, cpus, stacks and tables with ',' or '+' between them, the latter because
/// QEMU's command line takes a comma for itself. An error says what is expected.
Result<Capture> parse_capture(const std::string& list);

} // namespace kmd
