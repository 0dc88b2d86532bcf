// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the receiving side of dumps over a chardev: what arrives whole is a complete file, what does
// not says so, and no sender can choose a path, overwrite a file or take all memory.
#include "kmdump/dump_stream.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
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
        kmdump::DumpStream stream(ends[0]);
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
    EXPECT_NE(content("d.elf.json").find("\"bytes\": 15"), std::string::npos);
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

} // namespace
