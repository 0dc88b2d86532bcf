// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lists of further memory (register specification, section 5.2): what becomes of each entry, whatever
// the guest wrote there.
#include "hw/snapshot/region_list.h"

#include "core_reader.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

namespace
{

using namespace kmd;
using test::kHole;
using test::kRam;
using test::kRamSize;
using test::kVirt;

constexpr std::uint64_t kList = kRam + 0x8000;

std::string entry(std::uint64_t phys, std::uint64_t virt, std::uint64_t size)
{
    std::string bytes;
    for (const std::uint64_t value : {phys, virt, size}) {
        for (unsigned i = 0; i < 8; ++i) {
            bytes += static_cast<char>(value >> (8 * i));
        }
    }
    return bytes;
}

class AList : public testing::Test
{
  protected:
    explicit AList(const Config& config = test::small_config()) : machine_(config) {}

    void register_list(const std::string& bytes, std::uint64_t size)
    {
        machine_.host.guest.put(kList, bytes);
        EXPECT_EQ(machine_.add(0, {kList, kVirt + 0x8000, size, "list", 0, 3}), 1u);
        EXPECT_EQ(machine_.add(1, test::ram_region(0, 0x1000, 7)), 1u);
    }

    test::CoreReader dump()
    {
        machine_.dump();
        std::ifstream file(machine_.folder.path() + "/kmemdump-0001-panic.elf", std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto bytes = std::as_bytes(std::span(text));
        return test::CoreReader({bytes.begin(), bytes.end()});
    }

    test::TestMachine machine_;
};

TEST_F(AList, BringsWhatItNamesIntoTheDump)
{
    constexpr std::uint64_t kElsewhere = 0xffff000012340000;
    machine_.host.guest.fill(kRam + 0x20000, 0x2000, 0x5a);
    register_list(entry(kRam + 0x20000, kElsewhere, 0x2000), 24);
    const auto core = dump();
    ASSERT_TRUE(core.read_virt(kElsewhere, 0x2000));
    EXPECT_EQ(core.read_virt(kElsewhere, 0x2000)->back(), std::byte{0x5a});
    EXPECT_TRUE(core.read_phys(kRam + 0x20000, 0x2000));
    EXPECT_TRUE(core.read_phys(kRam, 0x1000)) << "the regions are there as well";
    EXPECT_FALSE(core.read_phys(kList, 8)) << "the list is no use to a reader";
    EXPECT_EQ(machine_.last_result(), 1u);
    EXPECT_EQ(machine_.read32(0x04c), 1u) << "only the region counts";
}

TEST_F(AList, IsReadWhenTheDumpIsTaken)
{
    register_list("", 48);
    machine_.host.guest.put(kList + 24, entry(kRam + 0x30000, kVirt + 0x30000, 0x1000));
    EXPECT_TRUE(dump().read_phys(kRam + 0x30000, 0x1000)) << "an empty entry stands ahead of it";
}

TEST_F(AList, LeavesOutWhatIsNoRamAndSaysHowMuch)
{
    register_list(entry(kHole, kVirt, 0x1000) + entry(kRam + kRamSize - 0x1000, kVirt, 0x2000) +
                      entry(~std::uint64_t{0} - 0xfff, kVirt, 0x2000) +
                      entry(kRam, ~std::uint64_t{0} - 0xfff, 0x2000) +
                      entry(kRam + 0x30000, kVirt + 0x30000, 0x1000),
                  5 * 24);
    EXPECT_TRUE(dump().read_phys(kRam + 0x30000, 0x1000));
    EXPECT_EQ(machine_.last_result(), 2u) << "the guest wanted more than there is";
    EXPECT_EQ(machine_.read32(0x060), 0u) << "LAST_REJECTED: an entry is no region";
    ASSERT_FALSE(machine_.host.warnings.empty());
    EXPECT_EQ(machine_.host.warnings.back(), "4 entries of the guest's list are not RAM and are left out");
}

TEST_F(AList, IsReadUpToItsLastWholeEntry)
{
    register_list(
        entry(kRam + 0x30000, kVirt + 0x30000, 0x1000) + entry(kRam + 0x40000, kVirt + 0x40000, 0x1000), 47);
    const auto core = dump();
    EXPECT_TRUE(core.read_phys(kRam + 0x30000, 0x1000));
    EXPECT_FALSE(core.read_phys(kRam + 0x40000, 0x1000));
}

TEST_F(AList, MayNameTheSameMemoryManyTimes)
{
    std::string bytes;
    for (unsigned i = 0; i < 1000; ++i) {
        bytes += entry(kRam + 0x30000, kVirt + 0x30000, 0x1000 + i % 2 * 0x1000);
    }
    register_list(bytes, bytes.size());
    EXPECT_EQ(dump().read_phys(kRam + 0x30000, 0x2000)->size(), 0x2000u);
    EXPECT_LT(machine_.read64(0x050), 0x6000u) << "each byte is stored once";
}

TEST_F(AList, IsCutBehindTheLastEntryThatAnyMayHave)
{
    const std::string bytes = entry(kRam + 0x1000, kVirt + 0x1000, 0x1000);
    test::FakeGuest guest;
    guest.add_ram(kRam, 0x200000);
    guest.put(kRam + std::uint64_t{65535} * 24, bytes);
    guest.put(kRam + std::uint64_t{65536} * 24, bytes);
    Region list;
    list.phys = kRam;
    list.size = std::uint64_t{65537} * 24;
    list.kind = 3;
    const auto listed = read_list(&list, guest);
    EXPECT_EQ(listed.regions.size(), 1u);
    EXPECT_TRUE(listed.cut);
}

TEST_F(AList, AloneInTheTableIsWorthADump)
{
    machine_.host.guest.put(kList, entry(kRam + 0x30000, kVirt + 0x30000, 0x1000));
    ASSERT_EQ(machine_.add(0, {kList, kVirt + 0x8000, 24, "list", 0, 3}), 1u);
    EXPECT_TRUE(dump().read_phys(kRam + 0x30000, 0x1000));
    EXPECT_EQ(machine_.last_result(), 1u);
    EXPECT_EQ(machine_.read32(0x04c), 0u) << "LAST_REGIONS: what a list names is none";
}

TEST_F(AList, AloneInTheTableThatNamesNothingIsSaidAsItIs)
{
    ASSERT_EQ(machine_.add(0, {kList, kVirt + 0x8000, 24, "list", 0, 3}), 1u);
    machine_.dump();
    EXPECT_EQ(machine_.last_result(), 5u) << "RESULT_EMPTY";
    EXPECT_EQ(machine_.host.warnings.back(),
              "no dump (panic): the guest has registered a list, and it names no memory that can be saved");
}

class AListNobodyWants : public AList
{
  protected:
    static Config without_regions()
    {
        auto config = test::small_config();
        config.capture = "cpus";
        return config;
    }
    AListNobodyWants() : AList(without_regions()) {}
};

TEST_F(AListNobodyWants, IsNotRead)
{
    EXPECT_EQ(machine_.read64(0x008) & 0x10, 0u);
    register_list(entry(kRam + 0x30000, kVirt + 0x30000, 0x1000), 24);
    EXPECT_FALSE(dump().read_phys(kRam + 0x30000, 0x1000));
}

TEST_F(AList, IsAFeatureTheGuestCanSee)
{
    EXPECT_EQ(machine_.read64(0x008) & 0x10, 0x10u);
}

} // namespace
