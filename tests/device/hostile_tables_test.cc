// SPDX-License-Identifier: GPL-2.0-or-later
//
// A guest whose page tables are said to be where a device is, and whose stack is behind them: whatever
// makes the controller take a dump, it must not look there. Reading a device has side effects, and QEMU's
// interrupt controller cannot even be read by anybody but a CPU.
#include "environment.h"
#include "payload_machine.h"
#include "triggers.h"
#include "window.h"

#include <gtest/gtest.h>

#include <iomanip>
#include <optional>
#include <sstream>

using support::PayloadMode;
using support::QtestMachine;
using namespace device;
using namespace std::chrono_literals;

namespace
{

/// The payload counts there the CPUs that have their MMU on: TABLES_ADDRESS + 8.
constexpr std::uint64_t kCpusWithMmu = 0x48000018;

struct Target {
    std::string name;
    std::uint64_t address = 0;
};

const std::vector<Target> kTargets = {
    {"GicDistributor", 0x08000000}, {"GicCpuInterface", 0x08010000},   {"Uart", 0x09000000},
    {"OurOwnWindow", kWindow},      {"OurOwnSlots", kWindow + 0x1000},
};

struct Trigger {
    std::string name;
    PayloadMode mode = PayloadMode::kHang;
    std::vector<std::string> qemu = {};
    std::string properties = {};
    /// Done to the machine when the payload waits.
    std::function<void(QtestMachine&)> act = go;
    std::optional<int> ends_with = {};
};

std::function<void(QtestMachine&)> asked(const std::string& reason)
{
    return [reason](QtestMachine& machine) { ask(machine, reason); };
}

const std::vector<Trigger> kTriggers = {
    {.name = "PanicBell", .mode = PayloadMode::kWaitAndPanic},
    {.name = "RequestBell", .mode = PayloadMode::kWaitAndRequest},
    {.name = "PanicBellAndReset", .mode = PayloadMode::kPanicAndReset, .ends_with = 0},
    {.name = "Reset", .mode = PayloadMode::kReset, .ends_with = 0},
    {.name = "ResetWithoutReboot", .mode = PayloadMode::kReset, .qemu = {"-no-reboot"}, .ends_with = 0},
    {.name = "PowerOff", .mode = PayloadMode::kPowerOff, .ends_with = 0},
    {.name = "SystemReset", .act = qmp("system_reset"), .ends_with = 0},
    {.name = "Quit", .properties = ",on-quit=on", .act = qmp("quit"), .ends_with = 0},
    {.name = "Watchdog", .qemu = {"-device", "i6300esb,addr=1"}, .act = watchdog, .ends_with = 0},
    {.name = "PvpanicPause", .qemu = pvpanic_with("pause"), .act = pvpanic},
    {.name = "PvpanicShutdown", .qemu = pvpanic_with("shutdown"), .act = pvpanic, .ends_with = 0},
    {.name = "PvpanicExitFailure", .qemu = pvpanic_with("exit-failure"), .act = pvpanic, .ends_with = 1},
    {.name = "PvpanicNone", .qemu = pvpanic_with("none"), .act = pvpanic},
    {.name = "HostAsks", .act = asked("host")},
    {.name = "HostAsksOfAHang", .act = asked("hang")},
};

std::string hex(std::uint64_t value)
{
    std::ostringstream text;
    text << "0x" << std::hex << value;
    return text.str();
}

/// What the controller says of itself from the beginning of its first dump to the end of it.
std::string messages_of_the_dump(const QtestMachine& machine)
{
    for (int i = 0; i < 1000; ++i) {
        const auto messages = machine.messages();
        const auto begin = messages.find("kmemdump-md@b000000: dump ");
        const auto end = messages.find("kmemdump-md@b000000: result ", begin);
        if (begin != std::string::npos && end != std::string::npos) {
            return messages.substr(begin, end - begin);
        }
        std::this_thread::sleep_for(20ms);
    }
    return {};
}

class HostileTables : public testing::TestWithParam<std::tuple<Target, Trigger, int>>
{
};

TEST_P(HostileTables, LeadTheControllerToNoDevice)
{
    const auto& [target, trigger, cpus] = GetParam();
    std::vector<std::string> qemu = {
        "-smp",
        std::to_string(cpus),
        "-trace",
        "pl011_read",
        "-kernel",
        support::required("KMD_PAYLOAD"),
        "-device",
        "loader,addr=0x48000000,data=" + std::to_string(static_cast<int>(trigger.mode)) + ",data-len=4",
        "-device",
        "loader,addr=0x48000010,data=" + hex(target.address) + ",data-len=8"};
    qemu.insert(qemu.end(), trigger.qemu.begin(), trigger.qemu.end());
    QtestMachine machine("id=md,trace=on" + trigger.properties, qemu);
    machine.qmp().execute("cont");
    for (int i = 0; i < 1000 && machine.read64(kCpusWithMmu) != static_cast<std::uint64_t>(cpus); ++i) {
        std::this_thread::sleep_for(5ms);
    }
    ASSERT_EQ(machine.read64(kCpusWithMmu), cpus) << "each CPU has its MMU on: " << machine.messages();
    trigger.act(machine);
    if (trigger.ends_with) {
        EXPECT_EQ(machine.wait_for_the_end(), *trigger.ends_with) << machine.messages();
    }
    const auto during = messages_of_the_dump(machine);
    EXPECT_NE(during, "") << machine.messages();
    EXPECT_EQ(during.find("kmemdump-md@b000000: read "), std::string::npos) << during;
    EXPECT_EQ(machine.messages().find("pl011_read"), std::string::npos) << machine.messages();
    EXPECT_EQ(machine.dumps().size(), 1u) << machine.messages();
    if (!trigger.ends_with) {
        EXPECT_TRUE(machine.qmp().execute("query-status").contains("status")) << "QEMU is alive";
    }
}

INSTANTIATE_TEST_SUITE_P(EveryTrigger, HostileTables,
                         testing::Combine(testing::ValuesIn(kTargets), testing::ValuesIn(kTriggers),
                                          testing::Values(1, 2)),
                         [](const auto& info) {
                             return std::get<0>(info.param).name + std::get<1>(info.param).name +
                                    (std::get<2>(info.param) == 1 ? "With1Cpu" : "With2Cpus");
                         });

} // namespace
