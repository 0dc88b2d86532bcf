// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/exports.h"

#include "cpu_time.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace
{

using kmd::find_exports;

constexpr std::uint64_t kBegin = 0xffff800081000000;

/// A part of a kernel's image.
class Image
{
  public:
    explicit Image(std::size_t size) : bytes(size) {}

    void put_text(std::size_t at, const std::string& text)
    {
        std::memcpy(bytes.data() + at, text.data(), text.size());
    }

    /// An entry at `at`, whose name is at `name` and whose value is `value`.
    void put_entry(std::size_t at, std::size_t name, std::uint64_t value)
    {
        put(at, static_cast<std::int32_t>(value - (kBegin + at)));
        put(at + 4, static_cast<std::int32_t>(name) - static_cast<std::int32_t>(at + 4));
        put(at + 8, 0);
    }

    void put(std::size_t at, std::int32_t number) { std::memcpy(bytes.data() + at, &number, sizeof(number)); }

    std::vector<std::byte> bytes;
};

/// Three entries at 0x100, whose names are behind them.
Image small_image()
{
    Image image(0x1000);
    image.put_text(0x800, std::string("\0init_task\0jiffies_64\0nr_cpu_ids\0", 32));
    image.put_entry(0x100, 0x801, kBegin + 0x2000);
    image.put_entry(0x10c, 0x80b, kBegin - 0x3000);
    image.put_entry(0x118, 0x816, kBegin + 0x4000);
    return image;
}

TEST(Exports, AreFoundAroundTheAnchor)
{
    for (const char* anchor : {"init_task", "jiffies_64", "nr_cpu_ids"}) {
        const auto found = find_exports(small_image().bytes, kBegin, anchor,
                                        {"init_task", "jiffies_64", "nr_cpu_ids", "none"});
        EXPECT_EQ(found.size(), 3u);
        EXPECT_EQ(found.at("init_task"), kBegin + 0x2000);
        EXPECT_EQ(found.at("jiffies_64"), kBegin - 0x3000);
        EXPECT_EQ(found.at("nr_cpu_ids"), kBegin + 0x4000);
    }
}

TEST(Exports, AreOnlyThoseThatAreWanted)
{
    const auto found = find_exports(small_image().bytes, kBegin, "init_task", {"jiffies_64"});
    EXPECT_EQ(found.size(), 1u);
}

TEST(Exports, OfATextThatNoEntryNamesAreNone)
{
    Image image = small_image();
    image.put_text(0x900, std::string("\0other\0", 7));
    EXPECT_TRUE(find_exports(image.bytes, kBegin, "other", {"init_task"}).empty());
    EXPECT_TRUE(find_exports(image.bytes, kBegin, "missing", {"init_task"}).empty());
    EXPECT_TRUE(find_exports({}, kBegin, "init_task", {"init_task"}).empty());
}

TEST(Exports, EndWhereNamesEnd)
{
    Image image = small_image();
    // Behind the table: an entry whose name is not one, and one that would be.
    image.put_text(0x900, std::string("not a name\0", 11));
    image.put_entry(0x124, 0x900, kBegin);
    image.put_entry(0x130, 0x80b, kBegin);
    EXPECT_EQ(find_exports(image.bytes, kBegin, "init_task", {"jiffies_64"}).at("jiffies_64"),
              kBegin - 0x3000);
}

// The linker merges texts.
TEST(Exports, CanHaveNamesThatEndOthers)
{
    Image image = small_image();
    image.put_entry(0x124, 0x819, kBegin + 0x5000);
    EXPECT_EQ(find_exports(image.bytes, kBegin, "init_task", {"cpu_ids"}).at("cpu_ids"), kBegin + 0x5000);
}

TEST(Exports, AreSearchedForABoundedTimeWhateverTheImageHolds)
{
    constexpr std::size_t kSize = 32 << 20;
    Image image(kSize);
    // Nothing but names of the anchor, and entries that lead to the first of them.
    const std::string name("init_task\0", 10);
    for (std::size_t at = 1; at + name.size() < kSize / 2; at += name.size()) {
        image.put_text(at, name);
    }
    for (std::size_t at = kSize / 2; at + 12 <= kSize; at += 12) {
        image.put_entry(at, 1, kBegin);
    }
    const double before = kmd::test::cpu_seconds();
    EXPECT_EQ(find_exports(image.bytes, kBegin, "init_task", {"init_task"}).size(), 1u);
    EXPECT_LT(kmd::test::cpu_seconds() - before, 1.0);
    // The longest names, and each entry has one.
    image.put_text(0, std::string(1, '\0') + name);
    image.put_text(100, std::string(255, 'a') + '\0');
    image.put_entry(kSize / 2, 1, kBegin);
    for (std::size_t at = kSize / 2 + 12; at + 12 <= kSize; at += 12) {
        image.put_entry(at, 100, kBegin);
    }
    const double before_long = kmd::test::cpu_seconds();
    EXPECT_EQ(find_exports(image.bytes, kBegin, "init_task", {"init_task"}).size(), 1u);
    EXPECT_LT(kmd::test::cpu_seconds() - before_long, 0.7);
    std::mt19937 random(1);
    for (std::byte& byte : image.bytes) {
        byte = static_cast<std::byte>(random());
    }
    EXPECT_TRUE(find_exports(image.bytes, kBegin, "init_task", {"init_task"}).empty());
}

} // namespace
