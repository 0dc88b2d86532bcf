// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the receiving side of dumps over a chardev: what arrives whole is a complete file, what does
// not says so, and no sender can choose a path, overwrite a file or take all memory.
#include "kmdump/receive/dump_stream.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace
{

namespace fs = std::filesystem;

class Receiving : public testing::Test
{
  protected:
    Receiving()
    {
        std::string path = (fs::temp_directory_path() / "kmdump-receive-XXXXXX").string();
        EXPECT_NE(::mkdtemp(path.data()), nullptr);
        folder = path;
    }
    ~Receiving() override { fs::remove_all(folder); }

    /// What the receiver says to each dump of a stream, a line each, up to its end or an error.
    std::string receive(const std::string& bytes)
    {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        std::thread sender([&] {
            std::size_t sent = 0;
            while (sent < bytes.size()) {
                const ssize_t now = ::write(ends[1], bytes.data() + sent, bytes.size() - sent);
                if (now <= 0) {
                    break;
                }
                sent += static_cast<std::size_t>(now);
            }
            ::close(ends[1]);
        });
        std::string said;
        kmdump::StoredBytes stored = 0;
        kmdump::DumpStream stream(ends[0], limits, stored);
        for (;;) {
            const auto dump = stream.receive(folder);
            if (!dump) {
                said += "error: " + dump.error().what + "\n";
                break;
            }
            if (!dump.value()) {
                break;
            }
            said += fs::path(dump.value()->path).filename().string() +
                    (dump.value()->complete ? " complete\n" : " incomplete\n");
        }
        std::signal(SIGPIPE, SIG_IGN);
        ::close(ends[0]);
        sender.join();
        return said;
    }

    std::vector<std::string> files() const
    {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder)) {
            names.push_back(entry.path().filename().string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string content(const std::string& name) const
    {
        std::ifstream in(fs::path(folder) / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string folder;
    kmdump::StreamLimits limits;
};

using Names = std::vector<std::string>;

std::string header(const std::string& name, const std::string& mark = R"({"offset":4,"complete":258})")
{
    return R"({"kmemdump-md":1,"name":")" + name + R"(","mark":)" + mark + "}\n";
}

const std::string kChunks = "5\nabcde"
                            "a\nfghijklmno"
                            "0\n";
const std::string kComplete = R"({"result":"complete","bytes":15})"
                              "\n";

TEST_F(Receiving, CompleteDumpGetsItsNameAndItsMark)
{
    EXPECT_EQ(receive(header("d.elf") + kChunks + kComplete), "d.elf complete\n");
    EXPECT_EQ(files(), (Names{"d.elf", "d.elf.json"}));
    EXPECT_EQ(content("d.elf"), std::string("abcd\2\1\0\0ijklmno", 15));
    EXPECT_EQ(content("d.elf.json"), kComplete) << "byte for byte";
    struct stat about;
    ASSERT_EQ(::stat((folder + "/d.elf").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0077, 0u);
}

TEST_F(Receiving, PartialDumpIsACompleteFileToo)
{
    EXPECT_EQ(receive(header("d.elf") + kChunks + "{\"result\":\"partial\"}\n"), "d.elf complete\n");
}

TEST_F(Receiving, DumpThatTheSenderCallsIncompleteKeepsItsMark)
{
    EXPECT_EQ(receive(header("d.elf") + kChunks + "{\"result\":\"incomplete\"}\n"),
              "d.elf.incomplete incomplete\n");
    EXPECT_EQ(files(), (Names{"d.elf.incomplete", "d.elf.incomplete.json"}));
    EXPECT_EQ(content("d.elf.incomplete"), "abcdefghijklmno");
}

TEST_F(Receiving, StreamThatEndsAnywhereLeavesNoFinalName)
{
    const std::string whole = header("d.elf") + kChunks + kComplete;
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const std::string said = receive(whole.substr(0, size));
        EXPECT_TRUE(said.starts_with("error: expected ")) << size << said;
        EXPECT_FALSE(fs::exists(folder + "/d.elf")) << size;
        EXPECT_FALSE(fs::exists(folder + "/d.elf.json")) << size;
        fs::remove(folder + "/d.elf.incomplete");
    }
}

TEST_F(Receiving, DumpsFollowEachOther)
{
    EXPECT_EQ(receive(header("a") + kChunks + kComplete + header("b") + kChunks + kComplete),
              "a complete\nb complete\n");
}

TEST_F(Receiving, NeverOverwritesAFile)
{
    std::ofstream(folder + "/d.elf") << "precious";
    EXPECT_EQ(receive(header("d.elf") + kChunks + kComplete), "2-d.elf complete\n");
    EXPECT_EQ(receive(header("d.elf") + kChunks + kComplete), "3-d.elf complete\n");
    EXPECT_EQ(content("d.elf"), "precious");
}

TEST_F(Receiving, TwoReceiversOfOneFolderKeepEachDumpOfTheSameName)
{
    constexpr int kDumps = 100;
    std::string stream;
    for (int i = 0; i < kDumps; ++i) {
        stream += header("d.elf") + kChunks + kComplete;
    }
    std::string others;
    std::thread other([&] { others = receive(stream); });
    const std::string said = receive(stream);
    other.join();
    EXPECT_EQ((said + others).find("error"), std::string::npos) << said << others;
    EXPECT_EQ(files().size(), 2u * 2 * kDumps) << "each with its sidecar";
}

TEST_F(Receiving, NameOfTheSenderNeverLeavesTheFolder)
{
    EXPECT_EQ(receive(header("../x") + kChunks + kComplete), "_._x complete\n");
    EXPECT_EQ(receive(header("/etc/passwd") + kChunks + kComplete), "_etc_passwd complete\n");
    EXPECT_EQ(receive(header("a\\u0000b\\n\\u001b") + kChunks + kComplete), "a_b__ complete\n");
    EXPECT_EQ(files().size(), 6u);
}

TEST_F(Receiving, RefusesWhatIsNoHeader)
{
    for (const std::string& line : {std::string("\n"), std::string("GET / HTTP/1.1\r\n"), std::string("[]\n"),
                                    std::string("{\"kmemdump-md\":2}\n"), header("", "{}"), header("x", "1"),
                                    header("x", R"({"offset":-1,"complete":0})"), std::string(100000, 'x')}) {
        EXPECT_TRUE(receive(line).starts_with("error: expected the header of a dump")) << line.substr(0, 60);
    }
    EXPECT_TRUE(files().empty());
}

TEST_F(Receiving, RefusesChunksThatAreNoChunks)
{
    for (const char* chunk :
         {"x\n", "\n", "-5\nabcde\n", "100001\n", "ffffffffffffffffff\n", "5 \nabcde\n"}) {
        EXPECT_TRUE(receive(header("d") + chunk).starts_with("error: expected the length of a chunk"))
            << chunk;
    }
}

TEST_F(Receiving, MarkOutsideTheDumpMakesNothingComplete)
{
    for (const char* offset : {"12", "15", "18446744073709551615"}) {
        const std::string mark = std::string(R"({"offset":)") + offset + R"(,"complete":0})";
        EXPECT_TRUE(receive(header("d", mark) + kChunks + kComplete).starts_with("error: expected the mark"))
            << offset;
        EXPECT_FALSE(fs::exists(folder + "/d"));
    }
}

TEST_F(Receiving, LargeDumpArrivesByteForByte)
{
    std::string bytes(5000000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(i * 7 + i / 1000);
    }
    std::string stream = header("big");
    for (std::size_t i = 0; i < bytes.size(); i += 1000000) {
        stream += "f4240\n" + bytes.substr(i, 1000000);
    }
    EXPECT_EQ(receive(stream + "0\n" + kComplete), "big complete\n");
    bytes.replace(4, 4, std::string("\2\1\0\0", 4));
    EXPECT_TRUE(content("big") == bytes);
}

/// Of `result` complete, with a member of `lists` lists in each other.
std::string nested_trailer(std::size_t lists)
{
    return R"({"result":"complete","a":)" + std::string(lists, '[') + std::string(lists, ']') + "}\n";
}

TEST_F(Receiving, TrailerThatNestsWithoutEndMakesNothingComplete)
{
    EXPECT_EQ(receive(header("d") + kChunks + nested_trailer(100000)),
              "error: the trailer of the dump: expected JSON that nests at most 8 deep\n");
    EXPECT_EQ(files(), Names{"d.incomplete"});
    EXPECT_EQ(receive(header("e") + kChunks + nested_trailer(7)), "e complete\n");
}

TEST_F(Receiving, TrailerOfAnyNumberOfValuesIsRefused)
{
    std::string trailer = R"({"result":"complete","a":[[])";
    for (int i = 0; i < 5000000; ++i) {
        trailer += ",[]";
    }
    EXPECT_EQ(receive(header("d") + kChunks + trailer + "]}\n"),
              "error: the trailer of the dump: expected JSON of at most 4194304 values\n");
    EXPECT_EQ(
        receive(header("e") + kChunks + R"({"result":"complete","a":")" + std::string(100000, 'x') + "\"}\n"),
        "error: the trailer of the dump: expected JSON with texts of at most 65536 bytes\n");
    EXPECT_EQ(files(), (Names{"d.incomplete", "e.incomplete"}));
}

TEST_F(Receiving, TrailerThatIsNoObjectMakesNothingComplete)
{
    for (const char* trailer : {"", "[]", "1", "{", "{\"result\":\"complete\"} x", "\xff"}) {
        EXPECT_EQ(receive(header("d") + kChunks + trailer + "\n"),
                  "error: expected the trailer of a dump, a line of JSON\n")
            << trailer;
        EXPECT_EQ(files(), Names{"d.incomplete"});
        fs::remove(folder + "/d.incomplete");
    }
}

TEST_F(Receiving, ResultInsideAnotherMemberIsNone)
{
    EXPECT_EQ(
        receive(header("d") + kChunks + R"({"a":{"result":"complete"},"b":["result","complete"]})" + "\n"),
        "d.incomplete incomplete\n");
}

TEST_F(Receiving, StoresNoMoreThanOneDumpMayHave)
{
    limits.dump_bytes = 100;
    std::string stream = header("d");
    for (int i = 0; i < 50; ++i) {
        stream += "5\nabcde";
    }
    EXPECT_EQ(receive(stream),
              "error: expected a dump of at most 100 bytes (--max-bytes), the sender has more\n");
    EXPECT_LE(content("d.incomplete").size(), 100u);
}

TEST_F(Receiving, StoresNoMoreThanAllDumpsMayHave)
{
    limits.total_bytes = 3 << 20;
    std::string stream;
    for (int i = 0; i < 5; ++i) {
        stream += header("d") + kChunks + kComplete;
    }
    const std::string said = receive(stream);
    EXPECT_TRUE(
        said.starts_with("d complete\n2-d complete\n3-d complete\nerror: expected at most 3145728 bytes"))
        << said;
    EXPECT_EQ(files().size(), 6u) << "an empty dump counts too";
}

TEST_F(Receiving, SmallChunksAreLittleWork)
{
    std::string stream = header("d", R"({"offset":0,"complete":0})");
    for (int i = 0; i < 1000000; ++i) {
        stream += "1\nx";
    }
    const std::clock_t before = std::clock();
    EXPECT_EQ(receive(stream + "0\n" + kComplete), "d complete\n");
    EXPECT_LT(std::clock() - before, 5 * CLOCKS_PER_SEC);
    EXPECT_EQ(content("d").size(), 1000000u);
}

/// A sender that writes `bytes` at once and then `drip` again and again, each tenth of a second.
std::string receive_from_slow_sender(const std::string& folder, const kmdump::StreamLimits& limits,
                                     const std::string& bytes, const std::string& drip)
{
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    std::atomic<bool> done = false;
    std::thread sender([&] {
        std::string next = bytes;
        while (!done && ::write(ends[1], next.data(), next.size()) >= 0) {
            next = drip;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    });
    kmdump::StoredBytes stored = 0;
    const auto dump = kmdump::DumpStream(ends[0], limits, stored).receive(folder);
    done = true;
    sender.join();
    ::close(ends[0]);
    ::close(ends[1]);
    return dump ? "no error" : dump.error().what;
}

TEST_F(Receiving, SenderThatFallsSilentWithinADumpIsGivenUp)
{
    limits.silence = std::chrono::seconds(1);
    EXPECT_EQ(receive_from_slow_sender(folder, limits, header("d") + "5\nab", ""),
              "expected 3 more bytes of a chunk, but the stream ended: nothing came for 1 seconds");
    EXPECT_EQ(receive_from_slow_sender(folder, limits, "{", ""),
              "expected the header of a dump: nothing came for 1 seconds");
    EXPECT_EQ(files(), Names{"d.incomplete"});
    EXPECT_EQ(content("d.incomplete"), "ab");
}

TEST_F(Receiving, SenderThatDripsForEverIsGivenUp)
{
    limits.dump_time = std::chrono::seconds(1);
    EXPECT_EQ(receive_from_slow_sender(folder, limits, header("d"), "1\nx"),
              "expected the length of a chunk, in hexadecimal and at most 1 MiB: "
              "the dump was not complete after 1 seconds");
}

} // namespace
