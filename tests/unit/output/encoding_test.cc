// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects compressed dumps: the zstd command reads them, as far as they go when they are cut off, and
// the mark of completeness inside can be changed without compressing again.
#include "hw/output/encoding.h"
#include "owned_plan.h"
#include "sanitized.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace
{

using kmd::Compression;
using kmd::Pieces;
using kmd::test::bytes_of;
using kmd::test::OwnedPlan;
using kmd::test::TempDir;

class Collector final : public kmd::ByteSink
{
  public:
    std::optional<std::string> write(Pieces pieces) override
    {
        for (const auto& piece : pieces) {
            bytes.insert(bytes.end(), piece.begin(), piece.end());
            largest = std::max(largest, piece.size());
        }
        return std::nullopt;
    }
    std::uint64_t written() const override { return bytes.size(); }

    std::vector<std::byte> bytes;
    std::size_t largest = 0;
};

std::vector<std::byte> compressed(const kmd::Plan& plan)
{
    Collector out;
    kmd::Progress progress;
    EXPECT_EQ(kmd::encode(plan, Compression::kZstd, out, progress), std::nullopt);
    EXPECT_EQ(progress.image_bytes(out.written()), plan.file_size);
    return out.bytes;
}

/// What `zstd -dc` makes of the bytes; its exit status goes to `status`.
std::vector<std::byte> zstd(const std::vector<std::byte>& bytes, int& status)
{
    const TempDir folder;
    kmd::test::make_file(folder / "in.zst",
                         std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    const std::string command = "zstd -dc " + (folder / "in.zst") + " > " + (folder / "out") + " 2>/dev/null";
    status = std::system(command.c_str());
    return bytes_of(folder / "out");
}

/// Bytes that do not compress.
void make_noise(std::vector<std::byte>& bytes)
{
    std::uint64_t random = 1;
    for (auto& byte : bytes) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        byte = static_cast<std::byte>(random >> 56);
    }
}

std::vector<std::byte> unmarked(std::vector<std::byte> file, std::byte mark)
{
    file.at(48) = mark;
    return file;
}

TEST(Zstd, CommandGivesBackTheFile)
{
    for (const std::size_t pieces : {0u, 1u, 3000u}) {
        const OwnedPlan owned(4096, pieces, 1000);
        int status = -1;
        EXPECT_TRUE(zstd(compressed(owned.plan), status) == unmarked(owned.file(), std::byte{1})) << pieces;
        EXPECT_EQ(status, 0);
    }
}

TEST(Zstd, HeadOfTheElfHeaderAloneWorks)
{
    const OwnedPlan owned(64, 0, 0);
    int status = -1;
    EXPECT_TRUE(zstd(compressed(owned.plan), status) == unmarked(owned.file(), std::byte{1}));
    EXPECT_EQ(status, 0);
}

TEST(Zstd, MarkIsInPlainTextAtAKnownPlace)
{
    const OwnedPlan owned(4096, 10, 1000);
    auto bytes = compressed(owned.plan);
    const std::uint64_t at = kmd::stored_flags_offset(owned.plan, Compression::kZstd);
    EXPECT_EQ(at, 57u) << "docs/outputs.md says so";
    ASSERT_EQ(bytes.at(at), std::byte{1});
    bytes[at] = std::byte{0};
    int status = -1;
    EXPECT_TRUE(zstd(bytes, status) == owned.file());
    EXPECT_EQ(status, 0) << "no checksum over the mark";
}

TEST(Zstd, CutOffFileDecompressesAsFarAsItGoesAndSaysIncomplete)
{
    OwnedPlan owned(4096, 64, 65536);
    make_noise(owned.memory);
    const auto whole = owned.file();
    auto bytes = compressed(owned.plan);
    ASSERT_GT(bytes.size(), 1000000u);
    bytes.resize(bytes.size() / 2);
    int status = 0;
    const auto partial = zstd(bytes, status);
    EXPECT_NE(status, 0);
    ASSERT_GT(partial.size(), whole.size() / 4);
    ASSERT_LT(partial.size(), whole.size());
    EXPECT_EQ(partial.at(48), std::byte{1});
    EXPECT_TRUE(std::equal(partial.begin() + 64, partial.end(), whole.begin() + 64));
}

TEST(Zstd, FileThatIsCutAnywhereGivesBackWhatProgressSays)
{
    OwnedPlan owned(4096, 10, std::size_t{1} << 20);
    make_noise(owned.memory);
    owned.plan.vital_size = 4096 + 100000;
    const auto whole = owned.file();
    Collector out;
    kmd::Progress progress;
    ASSERT_EQ(kmd::encode(owned.plan, Compression::kZstd, out, progress), std::nullopt);
    std::uint64_t before = 0;
    constexpr std::size_t step = kmd::test::kSanitized ? 1500007 : 300001;
    for (std::size_t stored = 0; stored < out.bytes.size(); stored += step) {
        auto bytes = out.bytes;
        bytes.resize(stored);
        int status = 0;
        const auto partial = zstd(bytes, status);
        const std::uint64_t promised = progress.image_bytes(stored);
        EXPECT_GE(promised, before);
        EXPECT_GE(partial.size(), promised) << stored;
        EXPECT_TRUE(std::equal(
            partial.begin() + std::min<std::ptrdiff_t>(64, partial.end() - partial.begin()), partial.end(),
            whole.begin() + std::min<std::ptrdiff_t>(64, partial.end() - partial.begin())));
        before = promised;
    }
    EXPECT_GE(before, std::uint64_t{8} << 20);
    const std::uint64_t vital = kmd::largest_size(owned.plan.vital_size, Compression::kZstd);
    EXPECT_GE(progress.image_bytes(vital), owned.plan.vital_size) << "so much always holds the vital part";
}

TEST(Zstd, DamageIsFound)
{
    const OwnedPlan owned(4096, 100, 1000);
    auto bytes = compressed(owned.plan);
    bytes.at(bytes.size() - 100) ^= std::byte{0x10};
    int status = 0;
    zstd(bytes, status);
    EXPECT_NE(status, 0);
}

TEST(Zstd, NeedsNoBufferOfTheSizeOfTheDump)
{
    OwnedPlan owned(4096, 1, std::size_t{32} << 20);
    Collector out;
    kmd::Progress progress;
    EXPECT_EQ(kmd::encode(owned.plan, Compression::kZstd, out, progress), std::nullopt);
    EXPECT_LE(out.largest, std::size_t{1} << 20);
    EXPECT_LT(out.bytes.size(), std::size_t{16} << 20) << "it compresses";
}

TEST(Zstd, IsNeverLargerThanAnnounced)
{
    OwnedPlan owned(64, 16, 65536);
    make_noise(owned.memory);
    EXPECT_GT(compressed(owned.plan).size(), owned.plan.file_size) << "random bytes do not compress";
    EXPECT_LE(compressed(owned.plan).size(), kmd::largest_size(owned.plan.file_size, Compression::kZstd));
}

TEST(Zstd, StopsWhenNothingIsTaken)
{
    class Full final : public kmd::ByteSink
    {
      public:
        std::optional<std::string> write(Pieces) override
        {
            ++calls;
            return "full";
        }
        std::uint64_t written() const override { return 0; }
        int calls = 0;
    } full;
    const OwnedPlan owned(4096, 100, 100000);
    kmd::Progress progress;
    EXPECT_EQ(kmd::encode(owned.plan, Compression::kZstd, full, progress), "full");
    EXPECT_EQ(progress.image_bytes(0), 0u);
    EXPECT_EQ(full.calls, 1);
}

TEST(Compression, HasTwoNames)
{
    EXPECT_EQ(kmd::parse_compression("none"), Compression::kNone);
    EXPECT_EQ(kmd::parse_compression("zstd"), Compression::kZstd);
    EXPECT_EQ(kmd::parse_compression("gzip"), std::nullopt);
    EXPECT_EQ(kmd::parse_compression(""), std::nullopt);
}

} // namespace
