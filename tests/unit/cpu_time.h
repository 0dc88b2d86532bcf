// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a piece of a test costs this process, whatever else the machine does. The bounds of the tests are
// several times what a slow machine needs, and a small part of what work that grows with the square costs.
#pragma once

#include "sanitized.h"

#include <sys/resource.h>

namespace kmd::test
{

/// User and system time of this process, in seconds; with sanitizers a tenth of it, so that the same bounds
/// hold.
inline double cpu_seconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return (seconds(usage.ru_utime) + seconds(usage.ru_stime)) / (kSanitized ? 10 : 1);
}

} // namespace kmd::test
