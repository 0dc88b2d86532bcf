// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump bt: the backtrace of a task or of a CPU.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

/// Whose backtrace: exactly one of the two has a value.
struct BacktraceOwner {
    std::optional<std::uint64_t> pid; ///< of a thread; 0: the idle tasks of all CPUs
    std::optional<std::uint64_t> cpu;
};

/// Reads a PID such as "1", or a CPU such as "cpu0". Nothing if it is neither.
std::optional<BacktraceOwner> parse_backtrace_owner(const std::string& text);

struct BtOptions {
    std::string path;
    std::string owner;   ///< as parse_backtrace_owner() reads it
    std::string vmlinux; ///< source of types and symbols; empty: the dump itself
    bool json = false;
};

/// Writes to `out`. An error if there is no such task or CPU.
std::optional<kmd::Error> print_bt(const BtOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
