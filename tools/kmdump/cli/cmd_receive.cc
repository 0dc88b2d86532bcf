// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_receive.h"

#include "common/descriptor.h"
#include "kmdump/text/json.h"

#include <netdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <new>
#include <vector>

namespace kmdump
{

namespace
{

using kmd::os_error;

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
    std::string host = where.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) { // an IPv6 address
        host = host.substr(1, host.size() - 2);
    }
    return listen_on_port(host, where.substr(colon + 1));
}

/// Flushes each line, since a reader may be waiting for it.
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

std::optional<kmd::Error> receive_from(int descriptor, const ReceiveOptions& options, StoredBytes& stored,
                                       std::ostream& out)
{
    DumpStream stream(descriptor, options.limits, stored);
    for (;;) {
        const auto dump = stream.receive(options.folder);
        if (!dump) {
            return dump.error();
        }
        if (!dump.value()) {
            return std::nullopt;
        }
        print(*dump.value(), options.json, out);
    }
}

/// The processes that receive, one for each sender.
class Receivers
{
  public:
    explicit Receivers(unsigned most) : most_(most) {}

    bool full()
    {
        std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
        return pids_.size() >= most_;
    }

    void add(pid_t pid) { pids_.push_back(pid); }

  private:
    unsigned most_;
    std::vector<pid_t> pids_;
};

/// A counter in memory that all processes share. Never freed.
StoredBytes* shared_count()
{
    void* const memory =
        ::mmap(nullptr, sizeof(StoredBytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : new (memory) StoredBytes(0);
}

[[noreturn]] void serve(int peer, const ReceiveOptions& options, StoredBytes& stored, std::ostream& out)
{
    const auto error = receive_from(peer, options, stored, out);
    if (error) {
        std::cerr << "kmdump: " << options.socket << ": " << error->what << std::endl;
    }
    ::_exit(error ? 1 : 0);
}

} // namespace

std::optional<kmd::Error> receive_dumps(const ReceiveOptions& options, std::ostream& out)
{
    StoredBytes* const stored = shared_count();
    if (stored == nullptr) {
        return kmd::Error{"cannot share memory: " + os_error()};
    }
    if (options.socket.empty()) {
        return receive_from(STDIN_FILENO, options, *stored, out);
    }
    const auto listener = listen_on(options.socket);
    if (!listener) {
        return listener.error();
    }
    // Each sender has its own process, so that a stalled one does not block the others.
    Receivers receivers(options.connections);
    bool refused = false;
    for (;;) {
        const int peer = ::accept4(listener.value(), nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            return kmd::Error{"cannot accept a connection: " + os_error()};
        }
        if (receivers.full()) {
            if (!refused) { // reported only once until there is room again, so that peers cannot fill the log
                std::cerr << "kmdump: " << options.socket << ": refused a connection, " << options.connections
                          << " are open already (--connections)" << std::endl;
            }
            refused = true;
            ::close(peer);
            continue;
        }
        refused = false;
        out.flush();
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(listener.value());
            serve(peer, options, *stored, out);
        }
        if (child > 0) {
            receivers.add(child);
        } else {
            std::cerr << "kmdump: " << options.socket
                      << ": cannot start a process for a connection: " << os_error() << std::endl;
        }
        ::close(peer);
    }
}

} // namespace kmdump
