// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every way in which the bare-metal guest dies gives one dump, with the registers it died with.
#include "elf_core.h"
#include "payload_machine.h"
#include "window.h"

#include <gtest/gtest.h>

#include <cstring>

using support::ElfCore;
using support::PayloadMachine;
using support::PayloadMode;

namespace
{

/// What the payload leaves in x20 right before it dies.
constexpr std::uint64_t kLastWords = 0x6b6d656d64756d70;

std::uint64_t x20_of_first_cpu(const ElfCore& core)
{
    std::uint64_t value = 0;
    for (const auto& note : core.notes) {
        if (note.name == "CORE" && note.type == 1 && note.description.size() == 392) {
            std::memcpy(&value, note.description.data() + 112 + 20 * 8, 8);
            break;
        }
    }
    return value;
}

void expect_one_dump(const PayloadMachine& machine, const std::string& reason)
{
    const auto dumps = machine.dumps();
    ASSERT_EQ(dumps.size(), 1u) << machine.messages();
    EXPECT_EQ(dumps[0].filename(), "kmemdump-0001-" + reason + ".elf");
    EXPECT_EQ(x20_of_first_cpu(ElfCore::read(dumps[0])), kLastWords);
}

TEST(Trigger, ResetByTheGuest)
{
    PayloadMachine machine(PayloadMode::kReset);
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    expect_one_dump(machine, "reset");
    EXPECT_NE(machine.console().find("before the reset: reason 17\n"), std::string::npos)
        << machine.console();
    EXPECT_NE(machine.console().find("before the reset: dumps 1\n"), std::string::npos);
    EXPECT_NE(machine.console().find("before the reset: regions now 0\n"), std::string::npos);
}

TEST(Trigger, ResetByTheGuestUnderNoReboot)
{
    PayloadMachine machine(PayloadMode::kReset, "", {"-no-reboot"});
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    expect_one_dump(machine, "reset");
}

TEST(Trigger, ResetThatIsNotWanted)
{
    PayloadMachine machine(PayloadMode::kReset, "on-reset=off", {"-no-reboot"});
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    EXPECT_TRUE(machine.dumps().empty());
}

TEST(Trigger, PanicAndTheResetAfterItAreOneIncident)
{
    for (const std::string option : {"-no-reboot", "-no-shutdown"}) {
        PayloadMachine machine(PayloadMode::kPanicAndReset, "", {option});
        if (option == "-no-reboot") {
            EXPECT_EQ(machine.wait_for_the_end(), 0);
        } else {
            machine.qmp().wait_event("SHUTDOWN", std::chrono::seconds(20));
        }
        ASSERT_EQ(machine.dumps().size(), 1u) << option << machine.messages();
        EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    }
}

TEST(Trigger, PowerOffWithRegionsRegistered)
{
    PayloadMachine machine(PayloadMode::kPowerOff);
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    expect_one_dump(machine, "shutdown");
}

TEST(Trigger, PowerOffThatIsNotWanted)
{
    PayloadMachine machine(PayloadMode::kPowerOff, "on-shutdown=off");
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    EXPECT_TRUE(machine.dumps().empty());
}

TEST(Trigger, ResetFromTheMonitor)
{
    PayloadMachine machine(PayloadMode::kHang);
    machine.qmp().execute("system_reset");
    machine.qmp().wait_event("RESET", std::chrono::seconds(20));
    expect_one_dump(machine, "reset");
}

TEST(Trigger, QuitFromTheMonitorOnlyWhenWanted)
{
    for (const bool wanted : {false, true}) {
        PayloadMachine machine(PayloadMode::kHang, wanted ? "on-quit=on" : "");
        machine.qmp().execute("quit");
        EXPECT_EQ(machine.wait_for_the_end(), 0);
        if (wanted) {
            expect_one_dump(machine, "shutdown");
        } else {
            EXPECT_TRUE(machine.dumps().empty());
        }
    }
}

class DeathWithoutGuestCode : public testing::TestWithParam<PayloadMode>
{
};

TEST_P(DeathWithoutGuestCode, IsDumpedWhenTheHostAsks)
{
    PayloadMachine machine(GetParam());
    machine.request_dump("hang");
    expect_one_dump(machine, "hang");
    EXPECT_EQ(machine.qmp().execute("query-status")["status"], "running") << "the guest goes on";
}

INSTANTIATE_TEST_SUITE_P(Trigger, DeathWithoutGuestCode,
                         testing::Values(PayloadMode::kHang, PayloadMode::kJumpIntoTheVoid,
                                         PayloadMode::kStackOverflow, PayloadMode::kBrokenVectors));

TEST(Trigger, RequestOfTheHostWhileTheGuestIsPaused)
{
    PayloadMachine machine(PayloadMode::kHang);
    machine.qmp().execute("stop");
    machine.request_dump("host");
    expect_one_dump(machine, "host");
    EXPECT_EQ(machine.qmp().execute("query-status")["status"], "paused");
}

TEST(Trigger, RequestsOfTheHostHaveNoLimit)
{
    PayloadMachine machine(PayloadMode::kHang, "max-dumps=1");
    for (int i = 0; i < 3; ++i) {
        machine.request_dump("host");
    }
    EXPECT_EQ(machine.dumps().size(), 3u);
}

TEST(Trigger, RequestForAnUnknownReasonIsRefused)
{
    PayloadMachine machine(PayloadMode::kHang);
    try {
        machine.request_dump("because");
        FAIL() << "it was accepted";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(),
                     "qom-set: 'because' is no reason for a dump: it has to be 'host' or 'hang'");
    }
    EXPECT_TRUE(machine.dumps().empty());
}

/// pvpanic as a PCI device, driven through its configuration space as firmware and driver would.
class Pvpanic : public testing::Test
{
  protected:
    static void panic(support::QtestMachine& machine)
    {
        constexpr std::uint64_t kConfiguration = 0x4010000000 + (1ull << 15);
        constexpr std::uint64_t kBar = 0x10000000;
        ASSERT_EQ(machine.read32(kConfiguration) & 0xffff, 0x1b36u);
        machine.write32(kConfiguration + 0x10, kBar);
        machine.write32(kConfiguration + 0x04, 2);
        machine.write8(kBar, 1);
    }

    static std::vector<std::string> options(const std::string& action)
    {
        return {"-device", "pvpanic-pci,addr=1", "-action", "panic=" + action};
    }
};

TEST_F(Pvpanic, ThatPausesTheGuest)
{
    support::QtestMachine machine("", options("pause"));
    ASSERT_EQ(device::commit(machine, 0, {device::kRam, 0xffff800080000000, 8, 1}), 1u);
    machine.qmp().execute("cont");
    panic(machine);
    machine.qmp().wait_event("STOP", std::chrono::seconds(20));
    ASSERT_EQ(machine.dumps().size(), 1u) << machine.messages();
    EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf");
}

TEST_F(Pvpanic, ThatEndsQemu)
{
    for (const auto& [action, status] : {std::pair("shutdown", 0), std::pair("exit-failure", 1)}) {
        support::QtestMachine machine("", options(action));
        ASSERT_EQ(device::commit(machine, 0, {device::kRam, 0xffff800080000000, 8, 1}), 1u);
        machine.qmp().execute("cont");
        panic(machine);
        EXPECT_EQ(machine.wait_for_the_end(), status) << action;
        ASSERT_EQ(machine.dumps().size(), 1u) << machine.messages();
        EXPECT_EQ(machine.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    }
}

} // namespace
