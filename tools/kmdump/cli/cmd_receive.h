// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump receive: collects the dumps that QEMU sends over a chardev.
#pragma once

#include "common/result.h"
#include "kmdump/receive/dump_stream.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct ReceiveOptions {
    std::string folder;
    std::string socket; ///< path or HOST:PORT to listen on; empty: standard input
    StreamLimits limits;
    unsigned connections = 64; ///< at one time
    bool json = false;
};

/// Writes the path of each dump to `out` as soon as it is stored. Returns at the end of standard input; when
/// it listens, only after an error.
std::optional<kmd::Error> receive_dumps(const ReceiveOptions& options, std::ostream& out);

} // namespace kmdump
