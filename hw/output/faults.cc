// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/faults.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>

namespace kmd
{

std::uint64_t bytes_before_fault(const Faults& faults)
{
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t byte : {faults.write_fail, faults.write_cut, faults.stop}) {
        first = byte == 0 ? first : std::min(first, byte - 1);
    }
    return first;
}

std::string inject_fault(const Faults& faults)
{
    const std::uint64_t byte = bytes_before_fault(faults) + 1;
    if (byte == faults.stop) {
        ::kill(::getpid(), SIGKILL);
    }
    return std::string(std::strerror(byte == faults.write_fail ? EIO : ENOSPC)) + " (injected)";
}

} // namespace kmd
