// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that are made to cost: every command ends within seconds, and in 256 MiB.
#include "bounded_run.h"
#include "core_maker.h"
#include "sanitized.h"
#include "sidecar_text.h"
#include "task_maker.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace
{

namespace fs = std::filesystem;

using kmdump_test::BoundedRun;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::KallsymsMaker;
using kmdump_test::put;
using kmdump_test::RingMaker;
using kmdump_test::TaskMaker;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr unsigned kSeconds = 30; // of CPU time; they are taken when it is broken
// With sanitizers a file is looked at for mistakes, not for what it costs: a small part of the worst case.
constexpr std::uint64_t kPart = kmd::test::kSanitized ? 16 : 1;

class Bounds : public testing::Test
{
  protected:
    Bounds()
    {
        std::string name = (fs::temp_directory_path() / "kmdump-bounds-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~Bounds() override { fs::remove_all(folder_); }

    std::string path() const { return folder_ + "/dump"; }

    void write(const Bytes& bytes, std::uint64_t size = 0) const
    {
        std::ofstream(path(), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (size > 0) {
            fs::resize_file(path(), size);
        }
    }

    void write_sidecar(const std::string& text) const
    {
        std::ofstream(path() + ".json", std::ios::binary) << text;
    }

    /// Runs each command; `most` is the memory that it may take.
    void expect_bounded(std::uint64_t most = 256 * kMiB) const
    {
        for (const char* command :
             {"info", "regions", "log", "cpus", "tasks", "modules", "verify", "report"}) {
            expect_command_bounded({command, path()}, most);
        }
        for (const char* command : {"regions", "log", "cpus", "tasks", "modules", "verify"}) {
            expect_command_bounded({command, path(), "--json"}, most);
        }
        expect_command_bounded({"bt", path(), "0"}, most);
        expect_command_bounded({"diff", path(), path()}, most);
    }

    static void expect_command_bounded(const std::vector<std::string>& words, std::uint64_t most)
    {
        const BoundedRun run = kmdump_test::run_bounded(words, kSeconds, 2 * most);
        EXPECT_TRUE(run.status == 0 || run.status == 1)
            << words[0] << " was ended after " << run.seconds << " s: " << run.err;
        EXPECT_TRUE(run.grown < most || kmd::test::kSanitized) << words[0] << " took " << run.grown;
        RecordProperty(words[0] + (words.back() == "--json" ? "_json" : ""),
                       std::to_string(run.seconds) + " s, " + std::to_string(run.grown / kMiB) + " MiB");
    }

    std::string folder_;
};

Elf64_Ehdr elf_header(std::uint64_t headers)
{
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_CORE;
    header.e_machine = EM_AARCH64;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shoff = sizeof header;
    header.e_phoff = sizeof header + sizeof(Elf64_Shdr);
    header.e_shnum = 1;
    header.e_phnum = headers < PN_XNUM ? static_cast<Elf64_Half>(headers) : PN_XNUM;
    return header;
}

/// `segment(i, end)` gives the i-th, `end` is where the headers do.
template <class Segment> Bytes core_of(std::uint64_t count, Segment segment)
{
    const Elf64_Ehdr header = elf_header(count);
    Elf64_Shdr first{};
    first.sh_info = static_cast<Elf64_Word>(count);
    Bytes bytes(header.e_phoff + count * sizeof(Elf64_Phdr));
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(&bytes[header.e_shoff], &first, sizeof first);
    for (std::uint64_t i = 0; i < count; ++i) {
        const Elf64_Phdr one = segment(i, bytes.size());
        std::memcpy(&bytes[header.e_phoff + i * sizeof one], &one, sizeof one);
    }
    return bytes;
}

Elf64_Phdr load(std::uint64_t offset, std::uint64_t virt, std::uint64_t phys, std::uint64_t size)
{
    return {PT_LOAD, PF_R, offset, virt, phys, size, size, 0};
}

TEST_F(Bounds, OfSegmentsThatOverlapEachOther)
{
    constexpr std::uint64_t size = 4 * kMiB;
    const Bytes bytes = core_of(200000 / kPart, [](std::uint64_t i, std::uint64_t end) {
        return load(end + i % 4096, 0xffff8000'80000000 + 16 * i, 0x40000000 + 16 * i, size);
    });
    write(bytes, bytes.size() + size + 4096);
    expect_bounded();
}

TEST_F(Bounds, OfSegmentsThatShowTheSameBytesAgainAndAgain)
{
    constexpr std::uint64_t size = 4 * kMiB;
    Bytes bytes = core_of(100000 / kPart, [](std::uint64_t i, std::uint64_t end) {
        return load(end, 0xffff8000'80000000 + 2 * size * i, 0x40000000 + 2 * size * i, size);
    });
    bytes.resize(bytes.size() + size, std::byte{1});
    write(bytes);
    expect_bounded();
}

TEST_F(Bounds, OfProgramHeadersInAHole)
{
    Bytes bytes = core_of(1, [](std::uint64_t, std::uint64_t) { return Elf64_Phdr{}; });
    put(bytes, offsetof(Elf64_Ehdr, e_phnum), PN_XNUM, 2);
    put(bytes, sizeof(Elf64_Ehdr) + offsetof(Elf64_Shdr, sh_info), 0xffffffff, 4);
    put(bytes, sizeof(Elf64_Ehdr) + offsetof(Elf64_Shdr, sh_size), 0xffffffff, 8);
    write(bytes, std::uint64_t{1} << 40);
    expect_bounded();
    EXPECT_EQ(kmdump_test::run_bounded({"info", path()}, kSeconds, 512 * kMiB).err,
              "kmdump: " + path() + ": expected at most 262144 program headers, found 4294967295\n");
}

TEST_F(Bounds, OfNotesWithoutEnd)
{
    constexpr std::uint64_t size = 48 * kMiB;
    Bytes bytes = core_of(2, [](std::uint64_t i, std::uint64_t end) {
        return i == 0 ? Elf64_Phdr{PT_NOTE, 0, end, 0, 0, size, 0, 0} : load(end, 1, 1, size);
    });
    const std::size_t notes = bytes.size();
    bytes.resize(notes + size);
    for (std::size_t at = notes; at + 20 <= bytes.size(); at += 20) {
        put(bytes, at, 5, 4);
        put(bytes, at + 8, NT_PRSTATUS, 4);
        std::memcpy(&bytes[at + 12], "CORE", 5);
    }
    write(bytes);
    expect_bounded();
}

TEST_F(Bounds, OfALogWhoseArraysAreAHole)
{
    RingMaker ring(3, 8);
    ring.write("one");
    ring.set_count_bits(21);
    ring.set_size_bits(31);
    ring.set_head_id((1 << 21) - 1);
    ring.set_tail_id(0);
    CoreMaker maker = ring.core();
    maker.flags = 1;
    const Bytes bytes = maker.make();
    write(bytes);
    // The file grows by a hole that the arrays can lie in.
    Bytes large = bytes;
    for (std::size_t at = 64; at < 64 + 3 * 56; at += 56) {
        if (bytes[at] == std::byte{1}) {
            put(large, at + 32, std::uint64_t{1} << 33, 8);
            put(large, at + 40, std::uint64_t{1} << 33, 8);
        }
    }
    write(large, std::uint64_t{1} << 34);
    expect_bounded(320 * kMiB); // 64 MiB for each array, since a log may have holes
}

// A byte in each line is there, so that each of the others is looked for by itself.
TEST_F(Bounds, OfMemoryFullOfHoles)
{
    constexpr std::uint64_t kVirt = 0xffff8000'80000000;
    constexpr std::size_t kLines = 65536 / kPart;
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=test\n";
    maker.extended_numbering = true;
    for (std::uint64_t i = 0; i < kLines; ++i) {
        maker.memory.push_back({kVirt + 16 * i, 0x40000000 + 16 * i, Bytes(1)});
    }
    write(maker.make());
    const std::string length = std::to_string(16 * kLines);
    expect_command_bounded({"memory", path(), "0xffff800080000000", "--length", length}, 256 * kMiB);
    expect_command_bounded({"memory", path(), "0xffff800080000000", "--length", length, "--json"},
                           256 * kMiB);
}

// As many tasks as kmdump lists, each with the longest backtrace; all have the PID 0.
TEST_F(Bounds, OfTasksWithoutEnd)
{
    constexpr std::size_t kTasks = 65537 / kPart;
    constexpr std::uint64_t kSignal = 0x180; // signal_struct of each, within its own place
    constexpr std::uint64_t kText = 0xffff8000'80100000;
    constexpr std::uint64_t kStack = 0xffff8000'80020000;
    constexpr std::size_t kFrames = 320 / kPart; // more than a backtrace has
    TaskMaker tasks(kTasks);
    std::vector<std::pair<std::size_t, std::uint64_t>> list;
    for (std::size_t i = 0; i < kTasks; ++i) {
        tasks.task(i, 0, 0, "swapper/0");
        list.emplace_back(i, TaskMaker::kTasks);
        tasks.put_at(i, TaskMaker::kSignal, TaskMaker::at(i) + kSignal);
        tasks.ring({{i, kSignal + TaskMaker::kHead}, {i, TaskMaker::kNode}});
        tasks.put_at(i, TaskMaker::kThread + 96, kText + 0x320);
        tasks.put_at(i, TaskMaker::kThread + 80, kStack);
    }
    tasks.ring(list);
    CoreMaker maker = tasks.core();
    KallsymsMaker kallsyms;
    kallsyms.symbols = {{kText, "_text"}, {kText + 0x300, "a_function"}, {kText + 0x400, "_end"}};
    *maker.vmcoreinfo += kallsyms.vmcoreinfo();
    maker.memory.push_back(kallsyms.make());
    Bytes stack(16 * kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        put(stack, 16 * i, kStack + 16 * (i + 1), 8);
        put(stack, 16 * i + 8, kText + 0x320, 8);
    }
    maker.memory.push_back({kStack, 0x48000000, stack});
    write(maker.make());
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"report", path()},
                                               {"tasks", "--stack", path()},
                                               {"tasks", "--stack", "--json", path()},
                                               {"bt", path(), "0"}}) {
        expect_command_bounded(words, 256 * kMiB);
    }
}

Bytes compress(const Bytes& bytes, std::uint64_t zeros)
{
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    Bytes out(ZSTD_compressBound(bytes.size() + zeros));
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
    const Bytes block(kMiB);
    for (std::uint64_t done = 0; done < zeros; done += block.size()) {
        ZSTD_inBuffer more{block.data(), block.size(), 0};
        ZSTD_compressStream2(context, &output, &more, ZSTD_e_continue);
    }
    ZSTD_inBuffer none{};
    ZSTD_compressStream2(context, &output, &none, ZSTD_e_end);
    ZSTD_freeCCtx(context);
    out.resize(output.pos);
    return out;
}

TEST_F(Bounds, OfSymbolsThatAreZeros)
{
    KallsymsMaker kallsyms;
    kallsyms.symbols = {{0xffff8000'80100000, "_text"}};
    CoreMaker maker = RingMaker(3, 8).core();
    auto tables = kallsyms.make();
    constexpr std::uint64_t zeros = 256 * kMiB;
    put(tables.bytes, 0, 0x03ffffff, 4);
    put(tables.bytes, 8, 0x03ffffff, 4);
    maker.memory.push_back(tables);
    *maker.vmcoreinfo +=
        "SYMBOL(kallsyms_num_syms)=ffff800180000000\nSYMBOL(kallsyms_names)=ffff800180001000\n"
        "SYMBOL(kallsyms_token_table)=ffff800180001000\n"
        "SYMBOL(kallsyms_token_index)=ffff800180001000\n"
        "SYMBOL(kallsyms_offsets)=ffff800180002000\n";
    Bytes number(8);
    put(number, 0, 0x03ffffff, 4);
    maker.memory.push_back({0xffff8001'80000000, 0x80000000, number});
    Bytes bytes = maker.make();
    // One more header's worth of memory: the last segment reaches over the zeros.
    const std::size_t last = 64 + 56 * maker.memory.size();
    put(bytes, last + 32, zeros, 8);
    put(bytes, last + 40, zeros, 8);
    write(compress(bytes, zeros));
    EXPECT_LT(fs::file_size(path()), kMiB);
    expect_bounded();
}

TEST_F(Bounds, OfACompressedFileThatUnfoldsWithoutEnd)
{
    Bytes bytes = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f},
                   std::byte{0xfd}, std::byte{0},    std::byte{0x70}};
    for (int i = 0; i < 65536; ++i) { // each is a block of 128 KiB of the same byte
        for (const unsigned byte : {0x02, 0x00, 0x10, 0x55}) {
            bytes.push_back(static_cast<std::byte>(byte));
        }
    }
    write(bytes);
    const BoundedRun run = kmdump_test::run_bounded({"info", path()}, kSeconds, 512 * kMiB);
    EXPECT_EQ(run.status, 1) << run.seconds;
    EXPECT_NE(run.err.find("expected a compressed dump of at most 4 GiB, of which at most 256 MiB"),
              std::string::npos)
        << run.err;
}

std::string sidecar_of(std::size_t regions, std::size_t left_out)
{
    std::string text = kmdump_test::sidecar_text(100);
    std::string list;
    for (std::size_t i = 0; i < left_out; ++i) {
        list += (i > 0 ? ",{\"slot\":" : "{\"slot\":") + std::to_string(i) +
                R"(,"name":"region","reason":"the memory is no longer RAM"})";
    }
    text.insert(text.find("\"left_out\":[") + 12, list);
    list.clear();
    const std::size_t begin = text.find("{\"slot\"", text.find("\"regions\":["));
    const std::string one = text.substr(begin, text.find('}', begin) + 1 - begin);
    for (std::size_t i = 1; i < regions; ++i) {
        std::string region = one;
        region.replace(region.find(":0,"), 3, ":" + std::to_string(i) + ",");
        list += region + ",";
        list.append(200, ' '); // as it is when it is indented
    }
    text.insert(begin, list);
    return text;
}

TEST_F(Bounds, OfAGenuineSidecarOfTheLargestTable)
{
    write(RingMaker(3, 8).core().make());
    const std::string text = sidecar_of(65536 / kPart, 65536 / kPart);
    EXPECT_GT(text.size(), 25000000 / kPart);
    write_sidecar(text);
    expect_bounded();
}

TEST_F(Bounds, OfASidecarOfEmptyLists)
{
    write(RingMaker(3, 8).core().make());
    std::string text = "{\"kmemdump-md\":1,\"a\":[[]";
    for (std::uint64_t i = 0; i < 20000000 / kPart; ++i) {
        text += ",[]";
    }
    write_sidecar(text + "]}");
    expect_bounded();
}

} // namespace
