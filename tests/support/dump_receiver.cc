// SPDX-License-Identifier: GPL-2.0-or-later
#include "dump_receiver.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <utility>

namespace support
{

namespace
{

/// Takes a dump out of what `more` appends to `buffer`.
class Parser
{
  public:
    Parser(std::string& buffer, std::function<bool(std::string&)> more)
        : buffer_(buffer), more_(std::move(more))
    {
    }

    ReceivedDump parse()
    {
        ReceivedDump dump;
        dump.header = nlohmann::json::parse(line());
        while (const std::size_t size = std::stoul(line(), nullptr, 16)) {
            dump.bytes += take(size);
        }
        dump.trailer = nlohmann::json::parse(line());
        return dump;
    }

  private:
    std::string line()
    {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos) {
            get_more();
        }
        const std::string text = take(end + 1);
        return text.substr(0, end);
    }

    std::string take(std::size_t size)
    {
        while (buffer_.size() < size) {
            get_more();
        }
        std::string text = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return text;
    }

    void get_more()
    {
        if (!more_(buffer_)) {
            throw std::runtime_error("the stream ends within a dump");
        }
    }

    std::string& buffer_;
    std::function<bool(std::string&)> more_;
};

} // namespace

ReceivedDump parse_dump(const std::string& stream)
{
    std::string buffer = stream;
    return Parser(buffer, [](std::string&) { return false; }).parse();
}

DumpReceiver::DumpReceiver(const std::string& path)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_, 1) != 0) {
        throw std::runtime_error("cannot listen on " + path);
    }
}

DumpReceiver::~DumpReceiver()
{
    hang_up();
    ::close(listener_);
}

void DumpReceiver::accept()
{
    const timeval limit{20, 0};
    ::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    peer_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer_ < 0) {
        throw std::runtime_error("QEMU does not connect");
    }
    ::setsockopt(peer_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

void DumpReceiver::hang_up()
{
    if (peer_ >= 0) {
        ::close(std::exchange(peer_, -1));
    }
}

ReceivedDump DumpReceiver::receive()
{
    return Parser(buffered_,
                  [this](std::string& buffer) {
                      std::array<char, 65536> bytes;
                      const ssize_t size = ::recv(peer_, bytes.data(), bytes.size(), 0);
                      buffer.append(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
                      return size > 0;
                  })
        .parse();
}

} // namespace support
