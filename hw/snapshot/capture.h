// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump has to contain: the property capture=.
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
    /// The stacks that the CPUs are using.
    bool stacks = true;
    /// The page tables that lead to the regions and stacks.
    bool tables = true;
    /// All variables of the Linux kernel: .data and .bss.
    bool data = false;
    /// Those, and the objects of the Linux kernel to which they lead: files, mounts, timers and others.
    bool more = false;
};

/// Parses a list of the words regions, cpus, stacks, tables, data and more, separated by ',' or by '+',
/// because a comma separates options on QEMU's command line. An error says what is expected.
Result<Capture> parse_capture(const std::string& list);

} // namespace kmd
