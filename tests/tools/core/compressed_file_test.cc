// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/core/core_file.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace
{

using kmdump::CoreFile;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::TemporaryFile;

/// As the controller writes it: the ELF header in a frame of its own, the rest in another with a checksum.
Bytes compress(const Bytes& bytes)
{
    constexpr std::size_t header = 64;
    const std::size_t rest = bytes.size() - header;
    Bytes out(ZSTD_compressBound(header) + ZSTD_compressBound(rest));
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    const std::size_t first = ZSTD_compressCCtx(context, out.data(), out.size(), bytes.data(), header, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    const std::size_t second =
        ZSTD_compress2(context, out.data() + first, out.size() - first, bytes.data() + header, rest);
    ZSTD_freeCCtx(context);
    out.resize(first + second);
    return out;
}

CoreMaker big_core()
{
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=6.12.0-test\n";
    maker.memory = {{0x1000, 0x1000, Bytes(1 << 20)}};
    std::uint32_t state = 1;
    for (std::byte& byte : maker.memory[0].bytes) { // something that does not shrink to nothing
        state = state * 1664525 + 1013904223;
        byte = static_cast<std::byte>(state >> 26);
    }
    return maker;
}

TEST(Compressed, DumpReadsLikeItsContent)
{
    const CoreMaker maker = big_core();
    const Bytes plain = maker.make();
    const TemporaryFile file(compress(plain));
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core) << core.error().what;
    EXPECT_EQ(core.value().file_size(), plain.size());
    Bytes memory(1 << 20);
    ASSERT_TRUE(core.value().read_physical(0x1000, memory));
    EXPECT_EQ(memory, maker.memory[0].bytes);
}

TEST(Compressed, DumpThatWasCutOffGivesWhatItHas)
{
    CoreMaker maker = big_core();
    Bytes bytes = compress(maker.make());
    bytes.resize(bytes.size() * 3 / 4);
    const TemporaryFile unmarked(bytes);
    EXPECT_EQ(CoreFile::open(unmarked.path()).error().what,
              "the file is truncated: expected the bytes of program header 1");
    maker.flags = 1;
    bytes = compress(maker.make());
    bytes.resize(bytes.size() * 3 / 4);
    const TemporaryFile marked(bytes);
    const auto core = CoreFile::open(marked.path());
    ASSERT_TRUE(core) << core.error().what;
    Bytes memory(1 << 18);
    EXPECT_TRUE(core.value().read_physical(0x1000, memory));
    EXPECT_GT(core.value().segments()[0].lost, 0u);
}

TEST(Compressed, DumpThatIsDamagedIsRefused)
{
    Bytes bytes = compress(big_core().make());
    bytes[bytes.size() / 2] ^= std::byte{0x55};
    bytes[bytes.size() / 2 + 1] ^= std::byte{0x55};
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    ASSERT_FALSE(core);
    EXPECT_TRUE(core.error().what.starts_with("the compressed dump is damaged: ")) << core.error().what;
}

TEST(Compressed, OtherwiseThanWithZstdIsNamed)
{
    const auto error_of = [](std::string_view begin) {
        const TemporaryFile file(std::string(begin) + std::string(100, '\0'));
        return CoreFile::open(file.path()).error().what;
    };
    const std::string expected = "expected an ELF core image, found ";
    EXPECT_EQ(error_of("KDUMP   "), expected + "a kdump-compressed dump, which crash and drgn read");
    EXPECT_EQ(error_of("makedumpfile"),
              expected + "a flattened kdump-compressed dump, which makedumpfile -R converts");
    EXPECT_EQ(error_of("\x1f\x8b"), expected + "a file compressed with gzip");
    EXPECT_EQ(error_of({"\xfd"
                        "7zXZ\0",
                        6}),
              expected + "a file compressed with xz");
    const TemporaryFile empty(std::string_view(""));
    EXPECT_EQ(CoreFile::open(empty.path()).error().what, expected + "an empty file");
}

} // namespace
