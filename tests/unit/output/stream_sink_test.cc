// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the protocol of docs/outputs.md, with a receiver written from that page alone, and that no
// peer can hold QEMU for ever or cost a dump that has another place to go.
#include "test_machine.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <sstream>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::kRam;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;
using Json = nlohmann::json;

struct Received {
    Json header;
    std::string bytes;
    Json trailer;
};

/// One dump out of the stream; throws when the stream ends within it.
Received receive(std::istream& stream)
{
    const auto line = [&] {
        std::string text;
        if (!std::getline(stream, text) || stream.eof()) {
            throw std::runtime_error("the stream ends within a line");
        }
        return text;
    };
    Received received;
    received.header = Json::parse(line());
    for (;;) {
        const std::size_t size = std::stoul(line(), nullptr, 16);
        if (size == 0) {
            break;
        }
        std::string chunk(size, '\0');
        if (!stream.read(chunk.data(), static_cast<std::streamsize>(size))) {
            throw std::runtime_error("the stream ends within a chunk");
        }
        received.bytes += chunk;
    }
    received.trailer = Json::parse(line());
    return received;
}

Config to_peer(std::uint64_t timeout = 50)
{
    auto config = small_config();
    config.chardev = "collector";
    config.chardev_timeout_ms = timeout;
    return config;
}

/// The file that the same machine writes to a folder, marked incomplete as it is on its way.
std::string file_of_the_same(const std::string& compress)
{
    auto config = small_config();
    config.compress = compress;
    TestMachine m(config);
    m.host.guest.fill_pattern(kRam, 0x300000 / 4);
    m.add(0, ram_region(0, 0xc0000));
    m.dump();
    const auto bytes =
        bytes_of(m.folder / ("kmemdump-0001-panic.elf" + std::string(compress == "zstd" ? ".zst" : "")));
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text.at(compress == "zstd" ? 57 : 48) = 1;
    return text;
}

void ring(TestMachine& m)
{
    m.host.guest.fill_pattern(kRam, 0xc0000);
    m.add(0, ram_region(0, 0xc0000));
    m.dump();
}

TEST(Stream, CarriesTheFileAndSaysWhatItIs)
{
    for (const char* compress : {"none", "zstd"}) {
        auto config = to_peer();
        config.compress = compress;
        TestMachine m(config);
        ring(m);
        std::istringstream stream(m.host.sent);
        const auto got = receive(stream);
        EXPECT_EQ(stream.peek(), EOF);
        const bool zstd = std::string(compress) == "zstd";
        EXPECT_EQ(got.header,
                  (Json{{"kmemdump-md", 1},
                        {"name", zstd ? "kmemdump-0001-panic.elf.zst" : "kmemdump-0001-panic.elf"},
                        {"mark", {{"offset", zstd ? 57 : 48}, {"complete", 0}}}}));
        EXPECT_TRUE(got.bytes == file_of_the_same(compress)) << compress;
        EXPECT_EQ(got.trailer["result"], "complete");
        EXPECT_EQ(got.trailer["bytes"], got.bytes.size());
        EXPECT_EQ(m.last_result(), 1u);
        EXPECT_NE(m.host.reports.at(0).find("chardev collector"), std::string::npos);
        EXPECT_TRUE(names_in(m.folder.path()).empty());
        EXPECT_EQ(m.host.disconnects, 0);
    }
}

TEST(Stream, CarriesOneDumpAfterTheOther)
{
    TestMachine m(to_peer());
    ring(m);
    m.dump(2);
    std::istringstream stream(m.host.sent);
    EXPECT_EQ(receive(stream).header["name"], "kmemdump-0001-panic.elf");
    EXPECT_EQ(receive(stream).header["name"], "kmemdump-0002-request.elf");
    EXPECT_EQ(stream.peek(), EOF);
}

TEST(Stream, PeerMayTakeItInSmallBites)
{
    TestMachine m(to_peer(5000));
    m.host.at_a_time = 7;
    ring(m);
    std::istringstream stream(m.host.sent);
    EXPECT_TRUE(receive(stream).bytes == file_of_the_same("none"));
}

TEST(Stream, NobodyThereIsOneClearError)
{
    TestMachine m(to_peer());
    m.host.connected = false;
    ring(m);
    EXPECT_EQ(m.last_result(), 4u);
    ASSERT_EQ(m.host.warnings.size(), 1u);
    EXPECT_EQ(m.host.warnings[0], "no dump (panic): chardev collector: nobody is connected");
}

TEST(Stream, PeerThatStallsHoldsTheGuestNoLongerThanConfigured)
{
    for (const std::size_t bytes : {0u, 50u, 100000u}) {
        TestMachine m(to_peer(100));
        m.host.stalls_after = bytes;
        const auto start = std::chrono::steady_clock::now();
        ring(m);
        const auto held = std::chrono::steady_clock::now() - start;
        EXPECT_GE(held, std::chrono::milliseconds(100));
        EXPECT_LT(held, std::chrono::milliseconds(2000));
        EXPECT_EQ(m.last_result(), bytes > 10000 ? 3u : 4u);
        EXPECT_EQ(m.host.disconnects, bytes == 0 ? 0 : 1) << "so that the peer sees the end";
        std::istringstream stream(m.host.sent);
        EXPECT_THROW(receive(stream), std::exception);
    }
}

TEST(Stream, PeerThatGoesAwayIsAnIncompleteDump)
{
    TestMachine m(to_peer());
    m.host.leaves_after = 100000;
    ring(m);
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_NE(m.host.warnings.at(0).find("the peer went away"), std::string::npos);
}

TEST(Stream, LosingTheTrailerIsLosingTheDump)
{
    TestMachine whole(to_peer());
    ring(whole);
    TestMachine m(to_peer());
    // Within the trailer: its timings make it a few digits longer or shorter from one dump to the next.
    m.host.leaves_after = whole.host.sent.size() - 100;
    ring(m);
    EXPECT_EQ(m.last_result(), 3u);
}

TEST(Stream, WorksAgainWhenThePeerIsBack)
{
    TestMachine m(to_peer());
    m.host.leaves_after = 100000;
    ring(m);
    m.host.sent.clear();
    m.host.leaves_after = std::string::npos;
    m.dump(2);
    std::istringstream stream(m.host.sent);
    EXPECT_EQ(receive(stream).trailer["result"], "complete");
}

TEST(Stream, NothingIsSentIntoTheMiddleOfADump)
{
    TestMachine m(to_peer());
    m.host.stalls_after = 100000;
    m.host.can_disconnect = false;
    ring(m);
    m.host.stalls_after = std::string::npos;
    m.dump(2);
    EXPECT_EQ(m.host.sent.size(), 100000u);
    EXPECT_EQ(m.last_result(), 4u);
    EXPECT_NE(m.host.warnings.back().find("broke off during an earlier dump"), std::string::npos);
}

TEST(Stream, FailureOfTheSourceIsSaidToThePeer)
{
    auto config = to_peer();
    config.faults.write_fail = 50001;
    TestMachine m(config);
    ring(m);
    std::istringstream stream(m.host.sent);
    const auto got = receive(stream);
    EXPECT_EQ(got.bytes.size(), 50000u);
    EXPECT_EQ(got.trailer["result"], "incomplete");
    EXPECT_EQ(got.trailer["incomplete_because"], "Input/output error (injected)");
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_EQ(m.host.disconnects, 0) << "the stream is in order";
}

TEST(Stream, FolderGetsTheDumpThatThePeerDoesNotTake)
{
    const TempDir folder;
    for (const bool connected : {false, true}) {
        auto config = to_peer();
        config.output = folder.path();
        config.sidecar = true;
        TestMachine m(config);
        m.host.connected = connected;
        m.host.leaves_after = 100000;
        ring(m);
        EXPECT_EQ(m.last_result(), 1u);
        ASSERT_EQ(m.host.warnings.size(), 1u);
        EXPECT_NE(m.host.warnings[0].find(connected ? "the peer went away" : "nobody is connected"),
                  std::string::npos);
    }
    EXPECT_EQ(names_in(folder.path()),
              (std::vector<std::string>{"kmemdump-0001-panic.elf", "kmemdump-0001-panic.elf.json",
                                        "kmemdump-0002-panic.elf", "kmemdump-0002-panic.elf.json"}));
    const auto text = bytes_of(folder / "kmemdump-0001-panic.elf.json");
    const auto sidecar = Json::parse(reinterpret_cast<const char*>(text.data()),
                                     reinterpret_cast<const char*>(text.data()) + text.size());
    EXPECT_EQ(sidecar["remarks"], Json::array({"chardev collector: nobody is connected"}));
}

TEST(Stream, FolderStaysEmptyWhileThePeerTakesThem)
{
    const TempDir folder;
    auto config = to_peer();
    config.output = folder.path();
    TestMachine m(config);
    ring(m);
    EXPECT_EQ(m.last_result(), 1u);
    EXPECT_TRUE(names_in(folder.path()).empty());
}

} // namespace
