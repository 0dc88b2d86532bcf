// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs kmdump in a child process that may take so much time and memory and no more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kmdump_test
{

struct BoundedRun {
    int status = 0;          ///< exit status; -1 when a signal ended it
    double seconds = 0;      ///< of CPU time
    std::uint64_t grown = 0; ///< bytes that the peak of its memory is above what it began with
    std::string out;         ///< of standard output the first 64 KiB
    std::string err;
};

/// `words`: of the command line, behind "kmdump". The child is ended after `seconds` of CPU time, or when it
/// maps more than `bytes` of memory (not under AddressSanitizer, whose own takes more).
BoundedRun run_bounded(const std::vector<std::string>& words, unsigned seconds, std::uint64_t bytes);

} // namespace kmdump_test
