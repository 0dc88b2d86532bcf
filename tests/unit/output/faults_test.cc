// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the failures on purpose: each happens exactly where it was asked for, and the controller
// says that it does such things.
#include "child_process.h"
#include "test_machine.h"

#include <gtest/gtest.h>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::in_child;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;

constexpr std::uint64_t kStatus = 0x024;

Config with(kmd::Faults faults)
{
    auto config = small_config();
    config.faults = faults;
    return config;
}

TEST(FaultInjection, IsOffAndInvisibleByDefault)
{
    TestMachine m;
    EXPECT_EQ(m.read32(kStatus) & 4u, 0u);
    EXPECT_TRUE(m.host.warnings.empty());
}

TEST(FaultInjection, IsShownInTheStatusRegisterAndSaidOnce)
{
    for (const kmd::Faults faults :
         {kmd::Faults{.refuse = 1}, {.full = 1}, {.write_fail = 1}, {.write_cut = 1}, {.stop = 1}}) {
        TestMachine m(with(faults));
        EXPECT_EQ(m.read32(kStatus), 5u) << "ready, and fault injection";
        ASSERT_EQ(m.host.warnings.size(), 1u);
        EXPECT_NE(m.host.warnings[0].find("fault injection is on"), std::string::npos);
    }
}

TEST(FaultInjection, RefusesTheNthCommitSincePowerOnAndNoOther)
{
    TestMachine m(with({.refuse = 3}));
    EXPECT_EQ(m.add(0, ram_region(0x0000, 0x100, 1)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0, 0, 2)), 16u) << "a commit that fails by itself counts too";
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x100, 3)), 22u);
    EXPECT_EQ(m.slot_valid(2), 0u);
    EXPECT_EQ(m.commit(2), 1u) << "the same again is the fourth";
    m.controller->reset();
    EXPECT_EQ(m.add(0, ram_region(0x0000, 0x100, 1)), 1u) << "a reset does not start the count again";
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x100, 2)), 1u);
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x100, 3)), 1u);
}

TEST(FaultInjection, CommitsOfAValidSlotDoNotCount)
{
    TestMachine m(with({.refuse = 2}));
    EXPECT_EQ(m.add(0, ram_region(0x0000, 0x100, 1)), 1u);
    EXPECT_EQ(m.commit(0), 1u) << "a guest error, not a commit";
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x100, 2)), 22u);
}

TEST(FaultInjection, TableIsFullAtN)
{
    TestMachine m(with({.full = 2}));
    EXPECT_EQ(m.add(0, ram_region(0x0000, 0x100, 1)), 1u);
    EXPECT_EQ(m.read32(0x030), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x100, 2)), 1u);
    EXPECT_EQ(m.read32(0x030), 0xffffffffu);
    EXPECT_EQ(m.add(2, ram_region(0x2000, 0x100, 3)), 21u);
}

TEST(FaultInjection, DoesNotMakeASmallTableLarger)
{
    auto config = with({.full = 5});
    config.max_regions = 1;
    TestMachine m(config);
    EXPECT_EQ(m.add(0, ram_region(0x0000, 0x100, 1)), 1u);
    EXPECT_EQ(m.add(1, ram_region(0x1000, 0x100, 2)), 21u);
}

TEST(FaultInjection, WriteFailsAtTheByte)
{
    TestMachine m(with({.write_fail = 6001}));
    m.add(0, ram_region(0, 0x4000));
    m.dump();
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_EQ(bytes_of(m.folder / "kmemdump-0001-panic.elf.incomplete").size(), 6000u);
    EXPECT_NE(m.host.warnings.back().find("Input/output error (injected)"), std::string::npos);
}

TEST(FaultInjection, WriteIsCutAtTheByte)
{
    TestMachine m(with({.write_cut = 4097}));
    m.add(0, ram_region(0, 0x4000));
    m.dump();
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_EQ(bytes_of(m.folder / "kmemdump-0001-panic.elf.incomplete").size(), 4096u);
    EXPECT_NE(m.host.warnings.back().find("No space left on device (injected)"), std::string::npos);
}

TEST(FaultInjection, WriteThatFailsAtTheFirstByteLeavesNothing)
{
    TestMachine m(with({.write_fail = 1}));
    m.add(0, ram_region(0, 0x4000));
    m.dump();
    EXPECT_EQ(m.last_result(), 4u);
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(FaultInjection, PastTheEndOfTheDumpNothingHappens)
{
    TestMachine m(with({.write_fail = 1000000, .write_cut = 1000000, .stop = 1000000}));
    m.add(0, ram_region(0, 0x4000));
    m.dump();
    EXPECT_EQ(m.last_result(), 1u);
}

TEST(FaultInjection, EveryDumpCountsItsOwnBytes)
{
    TestMachine m(with({.write_cut = 8000}));
    m.add(0, ram_region(0, 0x4000));
    m.dump(2);
    m.dump(2);
    EXPECT_EQ(names_in(m.folder.path()), (std::vector<std::string>{"kmemdump-0001-request.elf.incomplete",
                                                                   "kmemdump-0002-request.elf.incomplete"}));
}

/// What becomes of a process that takes a dump with a fault.
std::string die_at(std::uint64_t byte, const std::string& compress, const std::string& folder)
{
    return in_child([&]() -> std::string {
        auto config = with({.stop = byte});
        config.output = folder;
        config.compress = compress;
        config.sidecar = true;
        TestMachine m(config);
        m.host.guest.fill_pattern(kmd::test::kRam, 0x4000);
        m.add(0, ram_region(0, 0x4000));
        m.dump();
        return "survived";
    });
}

TEST(FaultInjection, StopInMidDumpLeavesNoFinalName)
{
    const std::vector<std::pair<std::string, std::vector<std::uint64_t>>> cases = {
        {"none", {1, 64, 4096, 4097, 12345, 20480}}, {"zstd", {1, 57, 73, 74, 300}}};
    for (const auto& [compress, bytes] : cases) {
        for (const std::uint64_t byte : bytes) {
            const TempDir folder;
            EXPECT_EQ(die_at(byte, compress, folder.path()), "killed by signal 9") << compress << byte;
            const auto names = names_in(folder.path());
            ASSERT_EQ(names.size(), 1u);
            EXPECT_TRUE(names[0].ends_with(".incomplete")) << names[0];
            EXPECT_EQ(bytes_of(folder / names[0]).size(), byte - 1);
        }
    }
}

} // namespace
