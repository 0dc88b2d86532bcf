// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmp.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace support
{

using nlohmann::json;
using Clock = std::chrono::steady_clock;

Qmp::Qmp(const std::string& path, std::chrono::milliseconds at_most)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        throw std::runtime_error("the path of the QMP socket is too long: " + path);
    }
    std::copy(path.begin(), path.end(), address.sun_path);
    const auto deadline = Clock::now() + at_most;
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        if (Clock::now() >= deadline) {
            throw std::runtime_error("QEMU did not open its QMP socket " + path);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    receive(at_most);
    execute("qmp_capabilities");
}

Qmp::~Qmp()
{
    ::close(socket_);
}

json Qmp::execute(const std::string& command, const json& arguments)
{
    const std::string text = json{{"execute", command}, {"arguments", arguments}}.dump() + "\n";
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
        throw std::runtime_error("QEMU does not read its QMP socket any more");
    }
    for (;;) {
        json answer = receive(std::chrono::seconds(60));
        if (answer.contains("event")) {
            events_.push_back(std::move(answer));
        } else if (answer.contains("error")) {
            throw std::runtime_error(command + ": " + answer["error"]["desc"].get<std::string>());
        } else {
            return answer["return"];
        }
    }
}

json Qmp::wait_event(const std::string& name, std::chrono::milliseconds at_most)
{
    const auto deadline = Clock::now() + at_most;
    for (;;) {
        const auto found = std::find_if(events_.begin(), events_.end(),
                                        [&](const json& event) { return event["event"] == name; });
        if (found != events_.end()) {
            json event = std::move(*found);
            events_.erase(found);
            return event;
        }
        events_.push_back(
            receive(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now())));
    }
}

json Qmp::receive(std::chrono::milliseconds at_most)
{
    const auto deadline = Clock::now() + at_most;
    for (;;) {
        if (const auto end = buffered_.find('\n'); end != std::string::npos) {
            json message = json::parse(buffered_.substr(0, end));
            buffered_.erase(0, end + 1);
            return message;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd ready{socket_, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
            throw std::runtime_error("QMP: nothing came in time");
        }
        std::array<char, 4096> bytes;
        const ssize_t now = ::read(socket_, bytes.data(), bytes.size());
        if (now <= 0) {
            throw std::runtime_error("QMP: QEMU closed the connection");
        }
        buffered_.append(bytes.data(), static_cast<std::size_t>(now));
    }
}

} // namespace support
