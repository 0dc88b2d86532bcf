// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump run: a guest from its start to its end, and to its dump.
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
    std::string memory = "512M";    ///< as QEMU's -m has it
    std::string cpu = "cortex-a57"; ///< as QEMU's -cpu has it
    std::uint64_t timeout = 0;      ///< seconds; 0: none
    std::string output;             ///< folder; empty: a new one in the current folder
    std::string properties;         ///< further ones of the controller
    std::string qemu;               ///< empty: from PATH
    std::string plugin;             ///< empty: from the build or the installation
    bool quiet = false;             ///< the console goes to its file alone
    bool json = false;              ///< and the outcome is written as JSON
    std::vector<std::string> qemu_options;
};

/// Runs the guest to its end and says on `err`, or in JSON on `out`, what has become of it. Returns
/// the exit status: kOk, kUsageError, or one of run_outcome.h.
int run_guest(const RunOptions& options, std::ostream& out, std::ostream& err);

} // namespace kmdump
