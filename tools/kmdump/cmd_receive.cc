// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd_receive.h"

#include "dump_stream.h"
#include "json.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>

namespace kmdump
{

namespace
{

std::string os_error()
{
    return std::strerror(errno);
}

kmd::Result<int> listen_on_path(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return kmd::Error{"expected a path of at most " + std::to_string(sizeof(address.sun_path) - 1) +
                          " characters"};
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(fd, SOMAXCONN) != 0) {
        return kmd::Error{"cannot listen: " + os_error()};
    }
    return fd;
}

kmd::Result<int> listen_on_port(const std::string& host, const std::string& port)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    if (const int failed =
            ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found)) {
        return kmd::Error{std::string("expected HOST:PORT: ") + ::gai_strerror(failed)};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    const int yes = 1;
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        ::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0) {
        return kmd::Error{"cannot listen: " + os_error()};
    }
    return fd;
}

kmd::Result<int> listen_on(const std::string& where)
{
    const std::size_t colon = where.rfind(':');
    if (colon == std::string::npos || where.find('/') != std::string::npos) {
        return listen_on_path(where);
    }
    return listen_on_port(where.substr(0, colon), where.substr(colon + 1));
}

/// At once: whoever waits for dumps reads these lines.
void print(const ReceivedDump& dump, bool json, std::ostream& out)
{
    if (json) {
        Json document = json_document("receive", dump.path);
        document["complete"] = dump.complete;
        out << json_text(document, false) << std::endl;
    } else {
        out << dump.path << (dump.complete ? "" : " (incomplete)") << std::endl;
    }
}

std::optional<kmd::Error> receive_from(int descriptor, const std::string& folder, bool json,
                                       std::ostream& out)
{
    DumpStream stream(descriptor);
    for (;;) {
        const auto dump = stream.receive(folder);
        if (!dump) {
            return dump.error();
        }
        if (!dump.value()) {
            return std::nullopt;
        }
        print(*dump.value(), json, out);
    }
}

} // namespace

std::optional<kmd::Error> receive_dumps(const ReceiveOptions& options, std::ostream& out)
{
    if (options.socket.empty()) {
        return receive_from(STDIN_FILENO, options.folder, options.json, out);
    }
    const auto listener = listen_on(options.socket);
    if (!listener) {
        return listener.error();
    }
    // Each sender has a process of its own: one that stalls keeps nobody waiting.
    std::signal(SIGCHLD, SIG_IGN);
    for (;;) {
        const int peer = ::accept4(listener.value(), nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            return kmd::Error{"cannot accept a connection: " + os_error()};
        }
        out.flush();
        if (::fork() == 0) {
            ::close(listener.value());
            const auto error = receive_from(peer, options.folder, options.json, out);
            if (error) {
                std::cerr << "kmdump: " << options.socket << ": " << error->what << std::endl;
            }
            ::_exit(error ? 1 : 0);
        }
        ::close(peer);
    }
}

} // namespace kmdump
