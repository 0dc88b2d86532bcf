// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump run: runs a guest and says how it ended.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace kmdump
{

struct RunOptions {
    std::string kernel;
    std::string initrd; ///< empty: none
    std::string append; ///< added to the kernel command line
    unsigned cpus = 2;
    std::string architecture;    ///< empty: the kernel's, by its header
    std::string memory = "512M"; ///< value of QEMU's -m
    std::string cpu;             ///< value of QEMU's -cpu; empty: the machine's default
    std::uint64_t timeout = 0;   ///< seconds; 0: no limit
    std::string output;          ///< folder; empty: a new one in the current folder
    std::string properties;      ///< further properties of the controller
    std::string qemu;            ///< empty: from PATH
    std::string plugin;          ///< empty: from the build or the installation
    bool quiet = false;          ///< the console goes only to its file
    bool json = false;           ///< like `quiet`, and the outcome is written as JSON
    std::vector<std::string> qemu_options;
};

/// Runs the guest to its end and reports the outcome on `err`, or as JSON on `out`. Returns the exit status:
/// kOk, kUsageError, or one of run_outcome.h.
int run_guest(const RunOptions& options, std::ostream& out, std::ostream& err);

} // namespace kmdump
