// SPDX-License-Identifier: GPL-2.0-or-later
//
// The other end of a chardev that dumps are sent to, written from docs/outputs.md alone.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace support
{

struct ReceivedDump {
    nlohmann::json header;
    std::string bytes;
    nlohmann::json trailer;
};

/// The dump at the beginning of a stream; throws when the stream ends within it.
ReceivedDump parse_dump(const std::string& stream);

/// Listens on a UNIX socket.
class DumpReceiver
{
  public:
    explicit DumpReceiver(const std::string& path);
    DumpReceiver(const DumpReceiver&) = delete;
    DumpReceiver& operator=(const DumpReceiver&) = delete;
    ~DumpReceiver();

    /// Waits for QEMU to connect.
    void accept();
    void hang_up();

    /// The next dump; throws when the connection ends within it.
    ReceivedDump receive();

  private:
    int listener_ = -1;
    int peer_ = -1;
    std::string buffered_;
};

} // namespace support
