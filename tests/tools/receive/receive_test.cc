// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump receive where it listens: the addresses it understands, and how many senders it takes.
#include "kmdump/cli/cli.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>
#include <vector>

namespace
{

namespace fs = std::filesystem;

const std::string kDump = R"({"kmemdump-md":1,"name":"d.elf","mark":{"offset":0,"complete":0}})"
                          "\n5\nabcde0\n{\"result\":\"complete\"}\n";

/// A port of the loopback that nobody has.
std::uint16_t free_port()
{
    const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ::close(fd);
    return ntohs(address.sin6_port);
}

class Listening : public testing::Test
{
  protected:
    Listening() : port_(free_port())
    {
        std::string name = (fs::temp_directory_path() / "kmdump-listen-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~Listening() override
    {
        if (receiver_ > 0) {
            ::kill(receiver_, SIGTERM);
            ::waitpid(receiver_, nullptr, 0);
        }
        fs::remove_all(folder_);
    }

    void start(const std::string& host, const char* connections)
    {
        const std::string where = host + ":" + std::to_string(port_);
        receiver_ = ::fork();
        if (receiver_ == 0) {
            const char* const argv[] = {"kmdump",      "receive",       folder_.c_str(), "--listen",
                                        where.c_str(), "--connections", connections};
            ::_exit(kmdump::run(std::size(argv), argv, std::cout, std::cerr));
        }
    }

    /// A connection, once the receiver listens.
    int connect() const
    {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        address.sin6_port = htons(port_);
        for (int tries = 0; tries < 200; ++tries) {
            const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
                return fd;
            }
            ::close(fd);
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return -1;
    }

    static bool hangs_up(int fd, int milliseconds)
    {
        pollfd wanted{fd, POLLIN, 0};
        char byte = 0;
        return ::poll(&wanted, 1, milliseconds) == 1 && ::recv(fd, &byte, 1, 0) <= 0;
    }

    bool appears(const std::string& name) const
    {
        for (int tries = 0; tries < 200; ++tries) {
            if (fs::exists(folder_ + "/" + name)) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return false;
    }

    std::uint16_t port_;
    std::string folder_;
    pid_t receiver_ = -1;
};

TEST_F(Listening, UnderstandsAnAddressInBrackets)
{
    start("[::1]", "64");
    const int sender = connect();
    ASSERT_GE(sender, 0);
    EXPECT_EQ(::send(sender, kDump.data(), kDump.size(), MSG_NOSIGNAL), static_cast<ssize_t>(kDump.size()));
    EXPECT_TRUE(appears("d.elf"));
    ::close(sender);
}

TEST_F(Listening, TakesAsManySendersAsItMayAndOthersWhenTheyLeave)
{
    start("[::1]", "2");
    std::vector<int> idle = {connect(), connect()};
    ASSERT_FALSE(hangs_up(idle[1], 200)) << "a sender may be silent before a dump";
    for (int i = 0; i < 400; ++i) {
        const int one_more = connect();
        ASSERT_TRUE(hangs_up(one_more, 10000)) << i;
        ::close(one_more);
    }
    ::close(idle[0]);
    // Its process takes its time to end.
    int sender = -1;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (sender < 0 && std::chrono::steady_clock::now() < deadline) {
        sender = connect();
        if (hangs_up(sender, 100)) {
            ::close(sender);
            sender = -1;
        }
    }
    ASSERT_GE(sender, 0) << "there is room again";
    EXPECT_EQ(::send(sender, kDump.data(), kDump.size(), MSG_NOSIGNAL), static_cast<ssize_t>(kDump.size()));
    EXPECT_TRUE(appears("d.elf"));
    ::close(sender);
    ::close(idle[1]);
}

} // namespace
