// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the shortcut to guest memory: it shows what the emulator shows, and asks it for each block once.
#include "fake_guest.h"
#include "hw/memory/cached_guest_memory.h"

#include <gtest/gtest.h>

#include <random>

namespace
{

using kmd::CachedGuestMemory;
using kmd::test::FakeGuest;

constexpr std::uint64_t kRam = 0x40000000;

/// Counts the questions.
class Counted final : public kmd::GuestMemory
{
  public:
    explicit Counted(FakeGuest& guest) : guest_(guest) {}
    std::optional<std::uint64_t> next_ram(std::uint64_t /*phys*/) override { return std::nullopt; }
    std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
    {
        ++questions;
        return guest_.map(phys, size);
    }
    int questions = 0;

  private:
    FakeGuest& guest_;
};

TEST(CachedGuestMemory, ShowsWhatTheGuestHas)
{
    FakeGuest guest;
    for (std::uint64_t block = 0; block < 40; ++block) {
        guest.add_ram(kRam + block * 0x10000, block % 3 == 0 ? 0x10000 : 0x8000);
    }
    std::mt19937_64 random(1);
    for (const std::uint64_t piece : {0, 16, 0x3000}) {
        guest.split_runs(piece);
        CachedGuestMemory known(guest);
        for (int i = 0; i < 5000; ++i) {
            const std::uint64_t phys = kRam - 0x1000 + random() % 0x290000;
            const std::uint64_t size = 1 + random() % 0x20000;
            const auto expected = guest.map(phys, size);
            const auto seen = known.map(phys, size);
            ASSERT_EQ(seen.empty(), expected.empty());
            ASSERT_TRUE(expected.empty() || seen.data() == expected.data()) << std::hex << phys;
            ASSERT_LE(seen.size(), size);
            // Where the emulator has seams a run may be shorter, but never longer than RAM.
            ASSERT_LE(seen.size(), piece == 0 ? expected.size() : size);
        }
    }
}

TEST(CachedGuestMemory, AsksOnceForABlockThatIsReadInAscendingOrder)
{
    FakeGuest guest;
    guest.add_ram(kRam, 0x100000);
    Counted counted(guest);
    CachedGuestMemory known(counted);
    for (std::uint64_t page = 0; page < 0x100; ++page) {
        EXPECT_EQ(known.map(kRam + page * 0x1000, 0x1000).size(), 0x1000u);
    }
    EXPECT_EQ(counted.questions, 1);
    EXPECT_EQ(known.map(kRam + 0xff000, 0x5000).size(), 0x1000u) << "to the end of RAM, no further";
}

TEST(CachedGuestMemory, NothingIsKnownOfWhatIsNotRam)
{
    FakeGuest guest;
    guest.add_ram(kRam, 0x1000);
    CachedGuestMemory known(guest);
    EXPECT_TRUE(known.map(kRam - 1, 2).empty());
    EXPECT_TRUE(known.map(kRam + 0x1000, 1).empty());
    EXPECT_EQ(known.map(UINT64_MAX, 1).size(), 0u);
}

} // namespace
