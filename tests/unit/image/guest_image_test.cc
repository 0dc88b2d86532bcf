// SPDX-License-Identifier: GPL-2.0-or-later
//
// The image that the guest describes is put together as the founding document has it, and a header
// that cannot be used costs nothing but itself.
#include "composed.h"
#include "cpu_time.h"
#include "hw/image/guest_image.h"
#include "test_machine.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <vector>

using kmd::compose_guest_image;
using kmd::Machine;
using kmd::Plan;
using kmd::Region;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::names_in;
using kmd::test::small_config;
using kmd::test::TestMachine;

namespace
{

constexpr std::uint64_t kHeaderSize = 0x400;
constexpr std::uint64_t kInfoAt = 0x2000;
constexpr std::uint64_t kFirstAt = 0x3000;
constexpr std::uint64_t kSecondAt = 0x5000;

/// A guest with a header, vmcoreinfo of 30 bytes and two regions of 0x101 and 0x200 bytes.
class GuestImage : public testing::Test
{
  protected:
    GuestImage()
    {
        guest.add_ram(kRam, 0x10000);
        guest.fill_pattern(kRam, 0x10000);
        elf.e_ident[EI_CLASS] = 2;
        elf.e_ident[EI_DATA] = 1;
        std::memcpy(elf.e_ident,
                    "\x7f"
                    "ELF",
                    4);
        elf.e_type = 4;
        elf.e_machine = 183;
        elf.e_phoff = 64;
        elf.e_phentsize = 56;
        elf.e_phnum = 3;
        headers.resize(3);
        headers[0].p_type = 4;
        // The vmcoreinfo is padded to 32 bytes, the first region to 0x104.
        headers[1] = load(kFirstAt, 0x104, kHeaderSize + 32);
        headers[2] = load(kSecondAt, 0x200, kHeaderSize + 32 + 0x104);
        regions = {region(0, kHeaderSize, 1), region(kInfoAt, 30, 2), region(kFirstAt, 0x101, 0),
                   region(kSecondAt, 0x200, 0)};
    }

    static Elf64_Phdr load(std::uint64_t at, std::uint64_t size, std::uint64_t offset)
    {
        Elf64_Phdr header{};
        header.p_type = 1;
        header.p_paddr = kRam + at;
        header.p_vaddr = kVirt + at;
        header.p_filesz = size;
        header.p_memsz = size;
        header.p_offset = offset;
        return header;
    }

    static Region region(std::uint64_t at, std::uint64_t size, std::uint32_t kind)
    {
        Region region;
        region.phys = kRam + at;
        region.virt = kVirt + at;
        region.size = size;
        region.kind = kind;
        return region;
    }

    void put(std::uint64_t address, const void* bytes, std::size_t size)
    {
        guest.put(address, std::string(static_cast<const char*>(bytes), size));
    }

    kmd::Result<Plan> compose()
    {
        put(kRam, &elf, sizeof(elf));
        put(kRam + 64, headers.data(), headers.size() * sizeof(headers[0]));
        return compose_guest_image(kmd::CheckedRegions(regions, guest), guest, Machine{183});
    }

    std::string refusal()
    {
        const auto plan = compose();
        return plan ? "accepted" : plan.error().what;
    }

    /// The file with what the guest has at `from` at offset `to`.
    void expect_at(const std::vector<std::byte>& file, std::uint64_t to, std::uint64_t from,
                   std::uint64_t size)
    {
        const auto expected = guest.bytes(kRam + from, size);
        ASSERT_LE(to + size, file.size());
        EXPECT_TRUE(
            std::equal(expected.begin(), expected.end(), file.begin() + static_cast<std::ptrdiff_t>(to)))
            << std::hex << to;
    }

    static void expect_zeros(const std::vector<std::byte>& file, std::uint64_t at, std::uint64_t size)
    {
        for (std::uint64_t i = at; i < at + size; ++i) {
            ASSERT_EQ(file.at(i), std::byte{0}) << std::hex << i;
        }
    }

    kmd::test::FakeGuest guest;
    Elf64_Ehdr elf{};
    std::vector<Elf64_Phdr> headers;
    std::vector<Region> regions;
};

TEST_F(GuestImage, IsHeaderThenVmcoreinfoThenEachRegionAtItsOffset)
{
    const auto plan = compose();
    ASSERT_TRUE(plan) << plan.error().what;
    const auto file = kmd::test::assemble(plan.value());
    ASSERT_EQ(file.size(), 0x400u + 32 + 0x104 + 0x200);
    EXPECT_EQ(plan.value().file_size, file.size());
    EXPECT_EQ(plan.value().regions, 3u);
    expect_at(file, 0, 0, 48);
    EXPECT_EQ(file[48], std::byte{1}) << "e_flags: marked incomplete until it is written";
    expect_at(file, 52, 52, kHeaderSize - 52);
    expect_at(file, 0x400, kInfoAt, 30);
    expect_zeros(file, 0x41e, 2);
    expect_at(file, 0x420, kFirstAt, 0x101);
    expect_zeros(file, 0x521, 3);
    expect_at(file, 0x524, kSecondAt, 0x200);
}

TEST_F(GuestImage, MissingRegionIsZerosAtItsOwnOffset)
{
    regions.erase(regions.begin() + 2);
    const auto plan = compose();
    ASSERT_TRUE(plan) << plan.error().what;
    const auto file = kmd::test::assemble(plan.value());
    EXPECT_EQ(plan.value().regions, 2u);
    expect_zeros(file, 0x420, 0x104);
    expect_at(file, 0x524, kSecondAt, 0x200);
}

TEST_F(GuestImage, RegionThatIsNotRamAnyMoreIsZerosAndRejected)
{
    regions[2].phys = 0x1000;
    headers[1].p_paddr = 0x1000;
    const auto plan = compose();
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ(kmd::CheckedRegions(regions, guest).statuses(),
              (std::vector{KMD_SLOT_OK, KMD_SLOT_OK, KMD_SLOT_NOT_RAM, KMD_SLOT_OK}));
    expect_zeros(kmd::test::assemble(plan.value()), 0x420, 0x104);
}

TEST_F(GuestImage, RamInShortRunsIsPutTogether)
{
    const auto whole = kmd::test::assemble(compose().value());
    guest.split_runs(7);
    EXPECT_TRUE(kmd::test::assemble(compose().value()) == whole);
}

TEST_F(GuestImage, KeepsTheFlagsOfTheGuest)
{
    elf.e_flags = 6;
    const auto plan = compose();
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan.value().complete_flags, 6u);
    EXPECT_EQ(plan.value().head.at(48), std::byte{7});
}

TEST_F(GuestImage, WithoutAHeaderIsRefused)
{
    regions.erase(regions.begin());
    EXPECT_EQ(refusal(), "the guest has not registered one");
}

TEST_F(GuestImage, HeaderThatIsBeingChangedIsRefused)
{
    elf.e_phnum = 0;
    EXPECT_EQ(refusal(), "it has no program headers: the guest was just changing it");
}

TEST_F(GuestImage, HeaderRegionOfAnAbsurdSizeIsRefused)
{
    regions[0].size = 63;
    EXPECT_EQ(refusal(), "its region has 63 bytes, expected 64 to 8388608");
}

TEST_F(GuestImage, HeaderThatIsNoElfIsRefused)
{
    elf.e_ident[0] = 0;
    EXPECT_EQ(refusal(), "it does not begin with a 64-bit little-endian ELF header");
}

TEST_F(GuestImage, HeaderOfAnotherMachineIsRefused)
{
    elf.e_machine = 62;
    EXPECT_EQ(refusal(), "its type and machine are 4 and 62, expected 4 and 183");
}

TEST_F(GuestImage, HeadersThatDoNotFitTheRegionAreRefused)
{
    elf.e_phnum = 18; // 64 + 18 * 56 is more than 0x400
    EXPECT_EQ(refusal(), "its 18 program headers do not fit its region");
}

TEST_F(GuestImage, HeadersThatOverlapInTheFileAreRefused)
{
    headers[2].p_offset = headers[1].p_offset + 4;
    EXPECT_NE(refusal().find("does not fit the others"), std::string::npos) << refusal();
}

TEST_F(GuestImage, HeaderInsideTheFirstPartIsRefused)
{
    headers[1].p_offset = 0;
    EXPECT_NE(refusal().find("does not fit the others"), std::string::npos);
}

// Else a guest of 64 MiB could fill a disk with zeros.
TEST_F(GuestImage, HeaderThatWantsMoreThanThereIsIsRefused)
{
    headers[2].p_offset = std::uint64_t{1} << 62;
    EXPECT_EQ(refusal(), "it describes more than 67108864 bytes that no region holds");
    headers[2] = load(kSecondAt, std::uint64_t{1} << 62, headers[1].p_offset + 0x104);
    EXPECT_EQ(refusal(), "it describes more than 67108864 bytes that no region holds");
    headers[2].p_filesz = headers[2].p_memsz = ~std::uint64_t{0};
    EXPECT_EQ(refusal(), "it describes more than 67108864 bytes that no region holds");
}

TEST_F(GuestImage, MemoryRepeatedWithoutEndIsRefused)
{
    constexpr std::uint64_t kBig = std::uint64_t{40} << 20;
    guest.add_ram(0x80000000, kBig);
    regions.resize(2);
    headers.resize(1);
    std::uint64_t offset = headers[0].p_offset = kHeaderSize + 32;
    for (std::uint64_t i = 0; i < 3; ++i) {
        Region big = region(0, kBig - i * 16, 0);
        big.phys = 0x80000000;
        regions.push_back(big);
        headers.push_back(load(0x80000000 - kRam, big.size, offset));
        headers.back().p_vaddr = big.virt;
        offset += big.size;
    }
    elf.e_phnum = 4;
    EXPECT_EQ(refusal(), "its regions hold more than 67108864 bytes more than once");
    elf.e_phnum = 3;
    EXPECT_EQ(refusal(), "accepted") << "a few are real";
}

TEST_F(GuestImage, HeaderThatDescribesNoRegionIsRefused)
{
    regions.resize(2);
    EXPECT_EQ(refusal(), "it describes none of the regions");
}

TEST(Format, CoreimageFallsBackToTheTableAndSaysSo)
{
    auto config = small_config();
    config.format = "coreimage";
    TestMachine m(config);
    ASSERT_EQ(m.add(0, kmd::test::ram_region(0x1000, 0x1000)), 1u);
    m.dump();
    EXPECT_EQ(m.last_result(), 1u);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    ASSERT_EQ(m.host.warnings.size(), 1u);
    EXPECT_EQ(m.host.warnings[0],
              "the guest's ELF header cannot be used, so the dump is composed from the table: "
              "the guest has not registered one");
}

TEST(Format, ThatIsUnknownIsRefused)
{
    kmd::test::FakeHost host;
    const kmd::test::TempDir folder;
    auto config = small_config();
    config.output = folder.path();
    config.format = "jpeg";
    const auto controller = kmd::Controller::create(config, host);
    ASSERT_FALSE(controller);
    EXPECT_EQ(controller.error().what, "format=jpeg is unknown: expected enriched, coreimage or qcom");
}

/// As many program headers as e_phnum can say and nearly as many regions as there can be slots, in the
/// opposite order.
TEST_F(GuestImage, OfTheLargestTableIsComposedInASecond)
{
    constexpr std::uint32_t kLoads = 65534;
    constexpr std::uint64_t kSmall = 8;
    const std::uint64_t header_size = 64 + (kLoads + 1) * sizeof(Elf64_Phdr);
    guest.add_ram(kRam + 0x1000000, 0x1000000);
    elf.e_phnum = kLoads + 1;
    headers.resize(1);
    regions = {region(0x1000000, header_size, 1)};
    for (std::uint32_t i = 0; i < kLoads; ++i) {
        headers.push_back(load(0x1800000 + i * kSmall, kSmall, header_size + i * kSmall));
        regions.push_back(region(0x1800000 + (kLoads - 1 - i) * kSmall, kSmall, 0));
    }
    put(kRam + 0x1000000, &elf, sizeof(elf));
    put(kRam + 0x1000040, headers.data(), headers.size() * sizeof(headers[0]));
    const double start = kmd::test::cpu_seconds();
    const auto plan = compose_guest_image(kmd::CheckedRegions(regions, guest), guest, Machine{183});
    EXPECT_LT(kmd::test::cpu_seconds() - start, 2);
    ASSERT_TRUE(plan) << plan.error().what;
    EXPECT_EQ(plan.value().regions, kLoads);
    EXPECT_EQ(plan.value().file_size, header_size + kLoads * kSmall);
}

} // namespace
