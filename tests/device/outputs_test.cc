// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every place that a dump can go to, in the stock QEMU: folder, file, chardev, qcom folder; compressed,
// described, limited; and failures on purpose.
#include "dump_receiver.h"
#include "environment.h"
#include "window.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>

using namespace device;
using support::DumpReceiver;
using support::ElfCore;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kVirt = 0xffff800080000000;
constexpr std::uint64_t kSize = 0x100000;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string read_file(const fs::path& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::byte> pattern()
{
    std::vector<std::byte> bytes(kSize);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 + i / 4096);
    }
    return bytes;
}

/// Registers 1 MiB with a pattern and rings; returns LAST_RESULT.
std::uint32_t dump(QtestMachine& machine)
{
    machine.write_memory(kRam, pattern());
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, kSize, 1}), 1u);
    return ring(machine);
}

void expect_the_pattern(const fs::path& elf)
{
    const auto core = ElfCore::read(elf);
    EXPECT_EQ(core.flags, 0u);
    EXPECT_TRUE(core.physical(kRam, kSize) == pattern());
}

TEST(Outputs, FolderHasTheDumpAndItsSidecar)
{
    QtestMachine machine("name=box-%r-%n");
    ASSERT_EQ(dump(machine), 1u);
    expect_the_pattern(machine.folder().path() / "box-panic-0001.elf");
    const Json json = Json::parse(read_file(machine.folder().path() / "box-panic-0001.elf.json"));
    EXPECT_EQ(json["result"], "complete");
    EXPECT_EQ(json["bytes"], machine.read64(kLastBytes));
    EXPECT_EQ(json["regions"][0]["phys"], "0x40000000");
    const Json version = machine.qmp().execute("query-version")["qemu"];
    EXPECT_EQ(json["qemu_version"], std::to_string(version["major"].get<int>()) + "." +
                                        std::to_string(version["minor"].get<int>()) + "." +
                                        std::to_string(version["micro"].get<int>()));
    EXPECT_NE(json["plugin_version"], "unknown");
}

TEST(Outputs, CompressedDumpIsTheSameCore)
{
    QtestMachine machine("compress=zstd,sidecar=off");
    ASSERT_EQ(dump(machine), 1u);
    const auto file = machine.folder().path() / "kmemdump-0001-panic.elf.zst";
    EXPECT_EQ(machine.dumps(), std::vector<fs::path>{file});
    EXPECT_EQ(fs::file_size(file), machine.read64(kLastBytes));
    EXPECT_LT(fs::file_size(file), kSize / 2);
    ASSERT_EQ(support::run({"zstd", "-q", "-d", file.string()}).status, 0);
    expect_the_pattern(machine.folder().path() / "kmemdump-0001-panic.elf");
}

TEST(Outputs, KeepsAsManyAsAsked)
{
    QtestMachine machine("keep=2,sidecar=off");
    ASSERT_EQ(dump(machine), 1u);
    ASSERT_EQ(ring(machine, kRequest), 1u);
    ASSERT_EQ(ring(machine, kRequest), 1u);
    ASSERT_EQ(machine.dumps().size(), 2u);
    EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0002-request.elf");
}

TEST(Outputs, BytesOfTheGuestAreLimited)
{
    QtestMachine machine("max-bytes=2500000,sidecar=off,max-dumps=0");
    ASSERT_EQ(dump(machine), 1u);
    EXPECT_EQ(ring(machine, kRequest), 1u);
    EXPECT_EQ(ring(machine, kRequest), 3u) << "what is left is too little for all of it";
    EXPECT_EQ(ring(machine, kRequest), 6u);
    ASSERT_EQ(machine.dumps().size(), 3u);
    EXPECT_EQ(machine.dumps()[2].filename(), "kmemdump-0003-request.elf.incomplete");
    EXPECT_NE(machine.messages().find("max-bytes=2500000 leaves no room"), std::string::npos);
}

TEST(Outputs, QcomFolderHasATableAndAFileForEachRegion)
{
    QtestMachine machine("format=qcom");
    machine.write_memory(kRam, pattern());
    ASSERT_EQ(commit(machine, 0, {kRam, kVirt, kSize, 7, 0, "prb_data"}), 1u);
    ASSERT_EQ(commit(machine, 3, {kRam + 5, kVirt, 3, 9, 0, "../etc"}), 2u);
    ASSERT_EQ(ring(machine), 1u);
    const auto folder = machine.folder().path() / "kmemdump-0001-panic";
    EXPECT_EQ(fs::file_size(folder / "md_toc.bin"), 336u + 2 * 40);
    EXPECT_EQ(fs::file_size(folder / "md_Kprb_data7.BIN"), kSize);
    EXPECT_EQ(fs::file_size(folder / "md_K___etc9.BIN"), 4u);
    EXPECT_TRUE(fs::exists(machine.folder().path() / "kmemdump-0001-panic.json"));
    EXPECT_FALSE(fs::exists(folder.string() + ".incomplete"));
}

TEST(Outputs, OneFileIsTheLastDump)
{
    const support::RunFolder folder;
    QtestMachine machine(support::Place{"file=" + folder.file("last.elf")});
    ASSERT_EQ(dump(machine), 1u);
    ASSERT_EQ(ring(machine, kRequest), 1u);
    expect_the_pattern(folder.path() / "last.elf");
    EXPECT_EQ(Json::parse(read_file(folder.path() / "last.elf.json"))["reason"], "request");
}

TEST(Outputs, TwoQemusWithOneFileNeverLeaveAnIncompleteOne)
{
    constexpr unsigned kRings = 40;
    const support::RunFolder folder;
    const support::Place place{"file=" + folder.file("last.elf")};
    QtestMachine one(place, "max-dumps=0");
    QtestMachine other(place, "max-dumps=0");
    ASSERT_EQ(dump(one), 1u);
    ASSERT_EQ(dump(other), 1u);
    std::atomic<unsigned> running = 2;
    std::atomic<unsigned> complete = 0;
    const auto ring_often = [&](QtestMachine& machine) {
        for (unsigned i = 0; i < kRings; ++i) {
            complete += ring(machine, kRequest) == 1 ? 1 : 0;
        }
        --running;
    };
    std::thread first(ring_often, std::ref(one));
    std::thread second(ring_often, std::ref(other));
    while (running > 0 && !testing::Test::HasFailure()) {
        expect_the_pattern(folder.path() / "last.elf");
    }
    first.join();
    second.join();
    EXPECT_EQ(complete, 2 * kRings);
    EXPECT_EQ(Json::parse(read_file(folder.path() / "last.elf.json"))["result"], "complete");
    EXPECT_FALSE(fs::exists(folder.path() / "last.elf.incomplete"));
    EXPECT_FALSE(fs::exists(folder.path() / "last.elf.2.incomplete"));
}

/// A machine that sends its dumps to a UNIX socket, and falls back to `output` if there is one.
std::vector<std::string> socket_to(const std::string& path)
{
    return {"-chardev", "socket,id=collector,path=" + path};
}

TEST(Outputs, SocketCarriesDumpsToTheReceiver)
{
    const support::RunFolder folder;
    DumpReceiver receiver(folder.file("socket"));
    QtestMachine machine(support::Place{"chardev=collector"}, "compress=zstd",
                         socket_to(folder.file("socket")));
    receiver.accept();
    ASSERT_EQ(dump(machine), 1u);
    const auto got = receiver.receive();
    EXPECT_EQ(got.header["name"], "kmemdump-0001-panic.elf.zst");
    EXPECT_EQ(got.trailer["result"], "complete");
    auto bytes = got.bytes;
    ASSERT_EQ(bytes.at(57), 1) << "incomplete until the receiver knows better";
    bytes[57] = 0;
    std::ofstream(folder.file("got.elf.zst"), std::ios::binary) << bytes;
    ASSERT_EQ(support::run({"zstd", "-q", "-d", folder.file("got.elf.zst")}).status, 0);
    expect_the_pattern(folder.file("got.elf"));
    ASSERT_EQ(ring(machine, kRequest), 1u);
    EXPECT_EQ(receiver.receive().header["name"], "kmemdump-0002-request.elf.zst");
}

TEST(Outputs, KmdumpReceiveStoresWhatTwoMachinesSend)
{
    const support::RunFolder folder;
    support::Subprocess receiver({support::required("KMD_KMDUMP"), "receive", folder.path().string(),
                                  "--listen", folder.file("socket")},
                                 folder.file("receiver.log"));
    while (!fs::exists(folder.file("socket"))) {
        ASSERT_FALSE(receiver.wait(std::chrono::milliseconds(10))) << folder.read("receiver.log");
    }
    QtestMachine first(support::Place{"chardev=collector"}, "", socket_to(folder.file("socket")));
    QtestMachine second(support::Place{"chardev=collector"}, "", socket_to(folder.file("socket")));
    for (QtestMachine* machine : {&first, &second}) {
        ASSERT_EQ(dump(*machine), 1u);
        const auto path = receiver.read_line(std::chrono::seconds(20));
        ASSERT_TRUE(path) << folder.read("receiver.log");
        EXPECT_EQ(fs::path(*path).filename(),
                  machine == &first ? "kmemdump-0001-panic.elf" : "2-kmemdump-0001-panic.elf");
        expect_the_pattern(*path);
        EXPECT_EQ(Json::parse(read_file(*path + ".json"))["result"], "complete");
    }
}

TEST(Outputs, PeerThatStallsDoesNotHangQemuAndTheFolderGetsTheDump)
{
    const support::RunFolder folder;
    DumpReceiver receiver(folder.file("socket"));
    QtestMachine machine("chardev=collector,chardev-timeout=300", socket_to(folder.file("socket")));
    receiver.accept(); // and read nothing
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(dump(machine), 1u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    expect_the_pattern(machine.folder().path() / "kmemdump-0001-panic.elf");
    EXPECT_NE(machine.messages().find("the peer did not accept all of it in time"), std::string::npos);
    EXPECT_THROW(receiver.receive(), std::runtime_error) << "the peer sees the end";
}

TEST(Outputs, PeerThatIsGoneIsOneClearError)
{
    const support::RunFolder folder;
    DumpReceiver receiver(folder.file("socket"));
    QtestMachine machine(support::Place{"chardev=collector"}, "", socket_to(folder.file("socket")));
    receiver.accept();
    receiver.hang_up();
    EXPECT_EQ(dump(machine), 4u);
    EXPECT_NE(machine.messages().find("no dump (panic): chardev collector: "), std::string::npos);
    EXPECT_TRUE(machine.dumps().empty());
}

TEST(Outputs, FileChardevTakesTheStreamToo)
{
    const support::RunFolder folder;
    QtestMachine machine(support::Place{"chardev=out"}, "",
                         {"-chardev", "file,id=out,path=" + folder.file("stream")});
    ASSERT_EQ(dump(machine), 1u);
    const auto got = support::parse_dump(read_file(folder.path() / "stream"));
    EXPECT_EQ(got.trailer["result"], "complete");
    EXPECT_EQ(got.bytes.size(), machine.read64(kLastBytes));
}

TEST(Faults, AreShownAndHappenWhereAsked)
{
    QtestMachine machine("inject-refuse=2,inject-full=3,inject-write-cut=9000,sidecar=off");
    EXPECT_NE(machine.messages().find("fault injection is on"), std::string::npos);
    EXPECT_EQ(machine.read32(kStatus), 5u);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 0x4000, 1}), 1u);
    EXPECT_EQ(commit(machine, 1, {kRam + 0x10000, kVirt, 8, 2}), 22u);
    EXPECT_EQ(commit(machine, 1, {kRam + 0x10000, kVirt, 8, 2}), 1u);
    EXPECT_EQ(commit(machine, 2, {kRam + 0x20000, kVirt, 8, 3}), 1u);
    EXPECT_EQ(machine.read32(kFreeSlot), 0xffffffffu);
    EXPECT_EQ(commit(machine, 3, {kRam + 0x30000, kVirt, 8, 4}), 21u);
    EXPECT_EQ(ring(machine), 3u);
    ASSERT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf.incomplete");
    EXPECT_EQ(fs::file_size(machine.dumps()[0]), 8999u);
}

TEST(Faults, WriteErrorIsSaidInWords)
{
    QtestMachine machine("inject-write-fail=9000,sidecar=off");
    EXPECT_EQ(dump(machine), 3u);
    EXPECT_NE(machine.messages().find("Input/output error (injected)"), std::string::npos);
}

TEST(Faults, QemuKilledInMidDumpLeavesNoFinalName)
{
    for (const char* more : {"", ",compress=zstd", ",format=qcom"}) {
        QtestMachine machine("inject-stop=500" + std::string(more));
        machine.write_memory(kRam, pattern());
        ASSERT_EQ(commit(machine, 0, {kRam, kVirt, kSize, 1}), 1u);
        EXPECT_THROW(ring(machine), std::exception);
        EXPECT_EQ(machine.wait_for_the_end(), 128 + 9);
        ASSERT_EQ(machine.dumps().size(), 1u);
        EXPECT_EQ(machine.dumps()[0].extension(), ".incomplete") << machine.dumps()[0];
    }
}

} // namespace
