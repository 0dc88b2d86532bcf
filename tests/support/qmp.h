// SPDX-License-Identifier: GPL-2.0-or-later
//
// QEMU's monitor protocol.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <deque>
#include <string>

namespace support
{

class Qmp
{
  public:
    /// Connects to the UNIX socket at `path` as soon as QEMU has made it. Throws after `at_most`.
    Qmp(const std::string& path, std::chrono::milliseconds at_most);
    Qmp(const Qmp&) = delete;
    Qmp& operator=(const Qmp&) = delete;
    ~Qmp();

    /// What the command returns. Throws with QEMU's words when it answers with an error.
    nlohmann::json execute(const std::string& command,
                           const nlohmann::json& arguments = nlohmann::json::object());

    /// Waits for an event of that name and takes it; those that came before count, and others stay. Throws
    /// after `at_most`.
    nlohmann::json wait_event(const std::string& name, std::chrono::milliseconds at_most);

  private:
    nlohmann::json receive(std::chrono::milliseconds at_most);

    int socket_ = -1;
    std::string buffered_;
    std::deque<nlohmann::json> events_;
};

} // namespace support
