// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>
#include <span>

namespace kmd
{

std::uint64_t FaultyBytes::sound() const
{
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t byte : {faults_.write_fail, faults_.write_cut, faults_.stop}) {
        first = byte == 0 ? first : std::min(first, byte - 1);
    }
    return first;
}

std::string FaultyBytes::fail() const
{
    const std::uint64_t byte = sound() + 1;
    if (byte == faults_.stop) {
        ::kill(::getpid(), SIGKILL);
    }
    return std::string(std::strerror(byte == faults_.write_fail ? EIO : ENOSPC)) + " (injected)";
}

std::optional<std::string> FaultyBytes::write(Pieces pieces)
{
    for (const auto& piece : pieces) {
        const std::uint64_t room = sound() - std::min(sound(), written());
        const auto good = piece.first(std::min<std::uint64_t>(room, piece.size()));
        if (auto failure = to_.write(Pieces(&good, 1))) {
            return failure;
        }
        if (good.size() < piece.size()) {
            return fail();
        }
    }
    return std::nullopt;
}

} // namespace kmd
