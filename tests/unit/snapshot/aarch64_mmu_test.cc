// SPDX-License-Identifier: GPL-2.0-or-later
//
// Registers and tables are laid out here by hand, from the Arm manual.
#include "hw/snapshot/aarch64_mmu.h"

#include "mmu_registers.h"

#include <gtest/gtest.h>

namespace
{

using namespace kmd;
using namespace kmd::test;

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kRoot = kRam + 0x10000;
constexpr std::uint64_t kTable = 3;
constexpr std::uint64_t kBlock = 1;
constexpr std::uint64_t kUpperPage = 0xffff800080123000;

class Mmu : public testing::Test
{
  protected:
    Mmu() { host.guest.add_ram(kRam, 0x1000000); }

    void put(std::uint64_t table, std::uint64_t index, std::uint64_t descriptor)
    {
        host.guest.put(table + index * 8, {reinterpret_cast<const char*>(&descriptor), 8});
    }

    /// kUpperPage: 256, 2, 0, 291 in pages of 4 KiB.
    void map_upper_page()
    {
        put(kRoot, 256, (kRam + 0x11000) | kTable);
        put(kRam + 0x11000, 2, (kRam + 0x12000) | kTable);
        put(kRam + 0x12000, 0, (kRam + 0x13000) | kTable);
        put(kRam + 0x13000, 291, 0x0068'0000'4070'0703);
    }

    std::optional<Aarch64Mmu> mmu_at(unsigned level)
    {
        CpuState cpu;
        cpu.registers.state = level << 2;
        return Aarch64Mmu::of_cpu(cpu, host);
    }

    std::optional<std::uint64_t> translate(std::uint64_t virt, unsigned level = 1)
    {
        const auto mmu = mmu_at(level);
        return mmu ? mmu->translate(virt, host.guest) : std::nullopt;
    }

    FakeHost host;
};

TEST_F(Mmu, ThatIsOffLeavesAddressesAlone)
{
    turn_on_mmu(host, 0, kRoot);
    host.registers[{0, kSctlrEl1}] = 0;
    EXPECT_EQ(translate(0x40001234), 0x40001234u);
    EXPECT_EQ(mmu_at(1)->kernel_root(), std::nullopt);
}

TEST_F(Mmu, OfACpuWhoseRegistersAreUnknownIsUnknown)
{
    EXPECT_FALSE(mmu_at(1));
    for (const auto missing : {kSctlrEl1, kTcrEl1, kTtbr0El1, kTtbr1El1}) {
        turn_on_mmu(host, 0, kRoot);
        host.registers.erase({0, missing});
        EXPECT_FALSE(mmu_at(1)) << missing;
    }
}

TEST_F(Mmu, TranslatesPagesOfTheUpperHalf)
{
    map_upper_page();
    // An address-space identifier and the common bit are no part of the address.
    turn_on_mmu(host, 0, kRoot | std::uint64_t{0x2a} << 48 | 1);
    EXPECT_EQ(translate(kUpperPage + 0x678), 0x40700678u);
    EXPECT_EQ(translate(kUpperPage + 0x678, 0), 0x40700678u) << "for a user's program as well";
    EXPECT_EQ(translate(kUpperPage + 0x1000), std::nullopt);
    EXPECT_EQ(translate(0xffff000000000000), std::nullopt);
    EXPECT_EQ(mmu_at(1)->kernel_root(), kRoot);
}

TEST_F(Mmu, TranslatesBlocksOfTheLowerHalf)
{
    turn_on_mmu(host, 0, kRoot);
    // 39 bits: three levels.
    host.registers[{0, kTcrEl1}] = 0x2'8010'0019;
    host.registers[{0, kTtbr0El1}] = kRam + 0x20000;
    put(kRam + 0x20000, 1, 0x40000000 | kBlock | 0x704);
    put(kRam + 0x20000, 2, (kRam + 0x21000) | kTable);
    put(kRam + 0x21000, 3, 0x41800000 | kBlock);
    EXPECT_EQ(translate(0x40123456), 0x40123456u);
    EXPECT_EQ(translate(0x80612345), 0x41812345u);
    EXPECT_EQ(translate(std::uint64_t{1} << 39), std::nullopt) << "more bits than are translated";
}

TEST_F(Mmu, FaultsAtAddressesThatAreInNoHalf)
{
    map_upper_page();
    turn_on_mmu(host, 0, kRoot);
    EXPECT_EQ(translate(kUpperPage & ~(std::uint64_t{1} << 50)), std::nullopt);
    EXPECT_EQ(translate(kUpperPage & ~(std::uint64_t{1} << 60)), std::nullopt);
    host.registers[{0, kTcrEl1}] |= std::uint64_t{1} << 38; // TBI1
    EXPECT_EQ(translate(kUpperPage & ~(std::uint64_t{1} << 60)), 0x40700000u) << "a tag";
    host.registers[{0, kTcrEl1}] |= std::uint64_t{1} << 23; // EPD1
    EXPECT_EQ(translate(kUpperPage), std::nullopt);
    EXPECT_EQ(mmu_at(1)->kernel_root(), std::nullopt);
}

TEST_F(Mmu, TranslatesPagesOf64KiBWith52Bits)
{
    // Linux for 52 bits on a CPU with 48: the root is the upper part of the larger one.
    host.guest.add_ram(0x5'0000'0000'0000, 0x20000);
    const std::uint64_t root = kRam + 0x20000 + 0x1e00;
    turn_on_mmu(host, 0, root, 0x6'c010'4010);
    // 0xffff800080120000: 32, 4, 18.
    put(root, 32, (kRam + 0x30000) | kTable);
    put(kRam + 0x30000, 4, (kRam + 0x40000) | kTable);
    put(kRam + 0x40000, 18, 0x0001'5000 | kTable);
    EXPECT_EQ(translate(0xffff800080124321), 0x5'0000'0001'4321u);
    EXPECT_EQ(mmu_at(1)->kernel_root(), root);
}

TEST_F(Mmu, FindsARootAbove48Bits)
{
    // LPA2: pages of 4 KiB, 52 bits, five levels, DS.
    const std::uint64_t high = 0x3'0000'0000'0000;
    host.guest.add_ram(high, 0x10000);
    turn_on_mmu(host, 0, 0x1000 | 3 << 2, 0x0800'0006'800c'000c);
    // 0xfff8000080123000: 8, 0, 2, 0, 291
    put(high + 0x1000, 8, 0x2000 | kTable);
    host.guest.add_ram(0x2000, 0x1000);
    put(0x2000, 0, (kRam + 0x13000) | kTable);
    put(kRam + 0x13000, 2, (kRam + 0x14000) | kTable);
    put(kRam + 0x14000, 0, (kRam + 0x15000) | kTable);
    put(kRam + 0x15000, 291, 0x40700000 | 0x300 | kTable);
    EXPECT_EQ(mmu_at(1)->kernel_root(), high + 0x1000);
    EXPECT_EQ(translate(0xfff8000080123000), 0xc'0000'4070'0000u);
}

TEST_F(Mmu, TranslatesPagesOf16KiB)
{
    turn_on_mmu(host, 0, kRam + 0x20000, 0x2'4010'8010);
    // 0xffff800080000000: 1, 0, 64, 0.
    put(kRam + 0x20000, 1, (kRam + 0x24000) | kTable);
    put(kRam + 0x24000, 0, (kRam + 0x28000) | kTable);
    put(kRam + 0x28000, 64, 0x42000000 | kBlock);
    EXPECT_EQ(translate(0xffff800080004321), 0x42004321u);
}

TEST_F(Mmu, OfAKernelAtEl2HasTheRegistersOfEl2)
{
    map_upper_page();
    turn_on_mmu(host, 0, kRam + 0x20000);
    host.registers[{0, kHcrEl2}] = std::uint64_t{1} << 34 | std::uint64_t{1} << 27; // E2H, TGE
    host.registers[{0, kSctlrEl2}] = 1;
    host.registers[{0, kTcrEl2}] = kTcr48Bits4K;
    host.registers[{0, kTtbr0El2}] = 0;
    host.registers[{0, kTtbr1El2}] = kRoot;
    EXPECT_EQ(translate(kUpperPage, 2), 0x40700000u);
    EXPECT_EQ(mmu_at(0)->kernel_root(), kRoot) << "its user's programs";
    EXPECT_EQ(mmu_at(1)->kernel_root(), kRam + 0x20000) << "its guest";
}

TEST_F(Mmu, OfAHypervisorHasOneHalf)
{
    turn_on_mmu(host, 0, kRam + 0x20000);
    host.registers[{0, kHcrEl2}] = 0;
    host.registers[{0, kSctlrEl2}] = 1;
    host.registers[{0, kTcrEl2}] = 0x8002'0019;
    host.registers[{0, kTtbr0El2}] = kRoot;
    put(kRoot, 1, 0x40000000 | kBlock);
    EXPECT_EQ(translate(0x40123456, 2), 0x40123456u);
    EXPECT_EQ(translate(kUpperPage, 2), std::nullopt);
    EXPECT_EQ(mmu_at(2)->kernel_root(), std::nullopt);
}

TEST_F(Mmu, OfFirmwareIsNotUsed)
{
    turn_on_mmu(host, 0, kRoot);
    EXPECT_FALSE(mmu_at(3));
}

TEST_F(Mmu, ReadsNothingButRam)
{
    turn_on_mmu(host, 0, 0x09000000);
    EXPECT_EQ(translate(kUpperPage), std::nullopt);
    turn_on_mmu(host, 0, kRoot);
    put(kRoot, 256, 0x09000000 | kTable);
    EXPECT_EQ(translate(kUpperPage), std::nullopt);
}

TEST_F(Mmu, SurvivesEveryValueOfItsRegisters)
{
    map_upper_page();
    for (unsigned bit = 0; bit < 64; ++bit) {
        for (const auto number : {kTcrEl1, kTtbr0El1, kTtbr1El1}) {
            for (const std::uint64_t base : {kTcr48Bits4K, std::uint64_t{0}, ~std::uint64_t{0}}) {
                turn_on_mmu(host, 0, kRoot);
                host.registers[{0, number}] = base ^ std::uint64_t{1} << bit;
                for (const std::uint64_t virt : {std::uint64_t{0}, kUpperPage, ~std::uint64_t{0}}) {
                    (void)translate(virt);
                }
            }
        }
    }
    for (std::uint64_t size = 0; size < 64; ++size) {
        for (std::uint64_t pages = 0; pages < 4; ++pages) {
            for (const std::uint64_t ds : {std::uint64_t{0}, std::uint64_t{1} << 59}) {
                turn_on_mmu(host, 0, kRoot, size | pages << 14 | size << 16 | pages << 30 | ds);
                EXPECT_NE(translate(0), std::optional(std::uint64_t{1}));
                (void)translate(kUpperPage);
            }
        }
    }
}

} // namespace
