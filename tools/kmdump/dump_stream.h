// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps as a controller sends them over a chardev: the receiving side of the protocol in
// docs/outputs.md.
#pragma once

#include "result.h"

#include <cstddef>
#include <optional>
#include <string>

namespace kmdump
{

/// A dump that was received.
struct ReceivedDump {
    /// Where it is; the name says so when it is not complete.
    std::string path;
    bool complete = false;
};

class DumpStream
{
  public:
    /// `descriptor`: a socket or a pipe that stays open longer. It can be anybody's: nothing in the stream
    /// chooses a path or makes this process take more memory than the trailer may have.
    explicit DumpStream(int descriptor) : descriptor_(descriptor) {}

    /// Stores the next dump in `folder`, as NAME.incomplete until the sender said that it is complete, and
    /// its trailer beside it as JSON. No existing file is touched. Nothing at the end of the stream; an
    /// error says what was expected, and what came of the dump stays.
    kmd::Result<std::optional<ReceivedDump>> receive(const std::string& folder);

  private:
    struct Mark;

    /// Without the newline; nothing at the end of the stream, or when it is longer than `longest` bytes.
    std::optional<std::string> read_line(std::size_t longest);
    bool fill();
    std::optional<kmd::Error> copy_chunks(int file);

    int descriptor_;
    std::string buffered_;
};

} // namespace kmdump
