// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/core/core_file.h"

#include <gtest/gtest.h>

#include <array>

namespace
{

using kmdump::CoreFile;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

Bytes counting(std::size_t size, unsigned first)
{
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(first + i);
    }
    return bytes;
}

CoreMaker two_segments()
{
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=x\n";
    maker.memory = {{0x10000, 0x5000, counting(16, 0)}, {0x10010, 0x9000, counting(16, 100)}};
    return maker;
}

/// Why the file with these bytes cannot be opened; empty when it can.
std::string refusal(const Bytes& bytes)
{
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    return core ? "" : core.error().what;
}

TEST(CoreFile, SummarisesHeadersAndNotes)
{
    const TemporaryFile file(two_segments().make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core) << core.error().what;
    const auto& summary = core.value().summary();
    EXPECT_EQ(summary.machine, 183);
    EXPECT_TRUE(summary.complete);
    EXPECT_EQ(summary.prstatus.size(), 2u);
    EXPECT_EQ(summary.segments, 2u);
    EXPECT_EQ(summary.memory_bytes, 32u);
    EXPECT_EQ(summary.vmcoreinfo, "OSRELEASE=x\n");
}

TEST(CoreFile, ReadsByVirtualAndByPhysicalAddress)
{
    const TemporaryFile file(two_segments().make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core) << core.error().what;
    std::array<std::byte, 4> bytes{};
    // Across the seam: neighbours in virtual addresses only.
    ASSERT_TRUE(core.value().read_virtual(0x1000e, bytes));
    EXPECT_EQ(bytes, (std::array{std::byte{14}, std::byte{15}, std::byte{100}, std::byte{101}}));
    ASSERT_TRUE(core.value().read_physical(0x900c, bytes));
    EXPECT_EQ(bytes[3], std::byte{115});
    EXPECT_FALSE(core.value().read_physical(0x500e, bytes));
    EXPECT_FALSE(core.value().read_virtual(0xfffe, bytes));
    EXPECT_FALSE(core.value().read_virtual(0xffffffff'fffffffe, bytes));
}

TEST(CoreFile, CountsProgramHeadersBeyond16Bits)
{
    CoreMaker maker = two_segments();
    maker.extended_numbering = true;
    for (std::uint64_t i = 0; i < 65600; ++i) {
        maker.memory.push_back({0x1000000 + 16 * i, 0x2000000 + 16 * i, counting(1, 7)});
    }
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core) << core.error().what;
    EXPECT_EQ(core.value().summary().segments, 65602u);
    std::array<std::byte, 1> byte{};
    ASSERT_TRUE(core.value().read_virtual(0x1000000 + 16 * 65599, byte));
    EXPECT_EQ(byte[0], std::byte{7});
}

TEST(CoreFile, RefusesWhatItCannotOpen)
{
    const auto missing = CoreFile::open("/nonexistent/dump");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().what, "cannot be opened: No such file or directory");
    const auto folder = CoreFile::open("/");
    ASSERT_FALSE(folder);
    EXPECT_EQ(folder.error().what, "expected an ELF core image, found something that is not a regular file");
}

TEST(CoreFile, RefusesForeignFiles)
{
    EXPECT_EQ(refusal({}), "expected an ELF core image, found an empty file");
    EXPECT_EQ(refusal(counting(5000, 65)), "expected an ELF core image, found something else");
    CoreMaker program = two_segments();
    program.type = 2;
    EXPECT_EQ(refusal(program.make()), "expected an ELF core image, found an ELF file of type 2");
    Bytes narrow = two_segments().make();
    put(narrow, 4, 1, 1);
    EXPECT_EQ(refusal(narrow), "expected a 64-bit core image, found a 32-bit ELF file");
    Bytes big = two_segments().make();
    put(big, 5, 2, 1);
    EXPECT_EQ(refusal(big), "expected a little-endian core image, found a big-endian ELF file");
}

TEST(CoreFile, RefusesATruncatedFileWhereverItEnds)
{
    const Bytes whole = two_segments().make();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_NE(refusal(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), "")
            << size;
    }
    const auto cut = [&whole](std::size_t size) {
        return refusal(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    };
    EXPECT_EQ(cut(100), "the file is truncated: expected 3 program headers");
    EXPECT_EQ(cut(300), "the file is truncated: expected the bytes of program header 0");
    EXPECT_EQ(cut(whole.size() - 1), "the file is truncated: expected the bytes of program header 2");
}

TEST(CoreFile, ReadsWhatIsLeftOfAFileMarkedIncomplete)
{
    CoreMaker maker = two_segments();
    maker.flags = 1;
    Bytes bytes = maker.make();
    bytes.resize(bytes.size() - 20);
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core) << core.error().what;
    EXPECT_FALSE(core.value().summary().complete);
    EXPECT_EQ(core.value().summary().segments, 2u);
    EXPECT_EQ(core.value().summary().memory_bytes, 12u);
    std::array<std::byte, 4> four{};
    EXPECT_TRUE(core.value().read_virtual(0x10008, four));
    EXPECT_FALSE(core.value().read_virtual(0x1000a, four));
}

TEST(CoreFile, RefusesAddressesPastTheEndOfTheSpace)
{
    CoreMaker maker = two_segments();
    maker.memory[1].virt = 0xffffffff'fffffff8;
    EXPECT_EQ(refusal(maker.make()),
              "expected addresses of 64 bits, found that program header 2 passes their end");
    maker.memory[1].virt = 0xffffffff'fffffff0;
    EXPECT_EQ(refusal(maker.make()), "");
}

TEST(CoreFile, RefusesNotesWithoutEnd)
{
    Bytes bytes = two_segments().make();
    bytes.resize((64 << 20) + 4096);
    put(bytes, 64 + 32, (64 << 20) + 1, 8); // p_filesz of the notes
    EXPECT_EQ(refusal(bytes), "expected at most 64 MiB of notes, found more");
}

} // namespace
