// SPDX-License-Identifier: GPL-2.0-or-later
//
// The same four questions to every way in which a machine dies: is there a dump, only one, are the
// registers those that the guest died with, and does gdb unwind its stack from it? Prints the answers as
// a table in the end.
#include "elf_core.h"
#include "environment.h"
#include "payload_machine.h"
#include "subprocess.h"
#include "triggers.h"
#include "window.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>

using support::ElfCore;
using support::PayloadMode;
using support::QtestMachine;
using namespace device;
using namespace std::chrono_literals;

namespace
{

constexpr std::uint64_t kLastWords = 0x6b6d656d64756d70;

struct Trigger {
    std::string name;
    PayloadMode mode = PayloadMode::kHang;
    std::string reason;
    /// The function of the payload that died.
    std::string innermost;
    /// Whether gdb can unwind from there. It cannot when an exception without a handler has the CPU: the PC
    /// is in no function, and the registers that tell where it was are not in a core.
    bool gdb_unwinds = true;
    std::vector<std::string> qemu = {};
    std::string properties = {};
    /// Done to the machine when the payload is ready to die, or has died.
    std::function<void(QtestMachine&)> act = [](QtestMachine&) {};
    /// Whether QEMU ends, and with which status.
    std::optional<int> ends_with = {};
};

void ask_for_hang(QtestMachine& machine)
{
    ask(machine, "hang");
    EXPECT_EQ(machine.qmp().execute("query-status")["status"], "running") << "the guest goes on";
}

void ask_while_paused(QtestMachine& machine)
{
    machine.qmp().execute("stop");
    ask(machine, "host");
    EXPECT_EQ(machine.qmp().execute("query-status")["status"], "paused");
}

const std::vector<Trigger> kTriggers = {
    {.name = "panic doorbell",
     .mode = PayloadMode::kWaitAndPanic,
     .reason = "panic",
     .innermost = "panic",
     .act = go},
    {.name = "panic doorbell, then reset, -no-reboot",
     .mode = PayloadMode::kPanicAndReset,
     .reason = "panic",
     .innermost = "panic",
     .qemu = {"-no-reboot"},
     .ends_with = 0},
    {.name = "panic doorbell, then reset",
     .mode = PayloadMode::kPanicAndReset,
     .reason = "panic",
     .innermost = "panic",
     .ends_with = 0},
    {.name = "guest reset (PSCI)",
     .mode = PayloadMode::kReset,
     .reason = "reset",
     .innermost = "psci",
     .ends_with = 0},
    {.name = "guest reset (PSCI), -no-reboot",
     .mode = PayloadMode::kReset,
     .reason = "reset",
     .innermost = "psci",
     .qemu = {"-no-reboot"},
     .ends_with = 0},
    {.name = "monitor system_reset", .reason = "reset", .innermost = "hang", .act = qmp("system_reset")},
    {.name = "watchdog reset",
     .reason = "reset",
     .innermost = "hang",
     .qemu = {"-device", "i6300esb,addr=1"},
     .act = watchdog},
    {.name = "power-off (PSCI)",
     .mode = PayloadMode::kPowerOff,
     .reason = "shutdown",
     .innermost = "psci",
     .ends_with = 0},
    {.name = "monitor quit, on-quit=on",
     .reason = "shutdown",
     .innermost = "hang",
     .properties = ",on-quit=on",
     .act = qmp("quit"),
     .ends_with = 0},
    {.name = "pvpanic, -action panic=pause",
     .reason = "panic",
     .innermost = "hang",
     .qemu = pvpanic_with("pause"),
     .act = pvpanic},
    {.name = "pvpanic, -action panic=shutdown",
     .reason = "panic",
     .innermost = "hang",
     .qemu = pvpanic_with("shutdown"),
     .act = pvpanic,
     .ends_with = 0},
    {.name = "pvpanic, -action panic=exit-failure",
     .reason = "panic",
     .innermost = "hang",
     .qemu = pvpanic_with("exit-failure"),
     .act = pvpanic,
     .ends_with = 1},
    {.name = "pvpanic, -action panic=none",
     .reason = "panic",
     .innermost = "hang",
     .qemu = pvpanic_with("none"),
     .act = pvpanic},
    {.name = "hang with interrupts off, host asks",
     .reason = "hang",
     .innermost = "hang",
     .act = ask_for_hang},
    {.name = "paused guest, host asks", .reason = "host", .innermost = "hang", .act = ask_while_paused},
    {.name = "jump into the void, host asks",
     .mode = PayloadMode::kJumpIntoTheVoid,
     .reason = "hang",
     .innermost = "jump_into_the_void",
     .act = ask_for_hang},
    {.name = "stack overflow, host asks",
     .mode = PayloadMode::kStackOverflow,
     .reason = "hang",
     .innermost = "overflow_the_stack",
     .gdb_unwinds = false,
     .act = ask_for_hang},
    {.name = "corrupted vectors, host asks",
     .mode = PayloadMode::kBrokenVectors,
     .reason = "hang",
     .innermost = "break_the_vectors",
     .gdb_unwinds = false,
     .act = ask_for_hang},
};

std::string test_name(const Trigger& trigger)
{
    std::string name;
    for (const char c : trigger.name) {
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return name;
}

std::uint64_t general_register(const ElfCore& core, std::size_t number)
{
    std::uint64_t value = 0;
    const auto& prstatus = core.notes.at(0).description;
    if (prstatus.size() == 392) {
        std::memcpy(&value, prstatus.data() + 112 + number * 8, 8);
    }
    return value;
}

/// x19 to x28 as the payload left them.
bool has_last_words(const ElfCore& core)
{
    bool all = true;
    for (std::size_t number = 19; number <= 28; ++number) {
        all = all && general_register(core, number) == kLastWords + number - 20;
    }
    return all;
}

/// What gdb says of the first CPU.
std::string backtrace(const std::filesystem::path& dump)
{
    return support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "core-file " + dump.string(), "-ex",
                         "thread 1", "-ex", "bt", support::required("KMD_PAYLOAD")})
        .output;
}

/// Whether the frames follow one another in gdb's backtrace.
bool frames_follow(const std::string& output, const std::vector<std::string>& functions)
{
    std::size_t at = output.find("#0 ");
    for (const auto& function : functions) {
        at = at == std::string::npos ? at : output.find(" " + function + " (", at);
    }
    return at != std::string::npos;
}

/// The functions that the frame records lead to, innermost first, read out of the dump alone.
std::vector<std::string> callers(const ElfCore& core)
{
    std::vector<std::string> functions;
    std::uint64_t frame = general_register(core, 29);
    for (int i = 0; i < 8 && frame != 0; ++i) {
        const auto record = core.physical(frame, 16);
        if (record.empty()) {
            break;
        }
        std::uint64_t words[2];
        std::memcpy(words, record.data(), sizeof(words));
        std::ostringstream address;
        address << std::hex << words[1] - 4;
        const auto name = support::run({"aarch64-linux-gnu-addr2line", "-f", "-s", "-e",
                                        support::required("KMD_PAYLOAD"), address.str()})
                              .output;
        functions.push_back(name.substr(0, name.find('\n')));
        frame = words[0];
    }
    return functions;
}

/// The dump under its final name.
std::optional<std::filesystem::path> wait_for_dump(const QtestMachine& machine)
{
    for (int i = 0; i < 2000; ++i) {
        for (const auto& dump : machine.dumps()) {
            if (dump.extension() == ".elf") {
                return dump;
            }
        }
        std::this_thread::sleep_for(5ms);
    }
    return std::nullopt;
}

class TriggerMatrix : public testing::TestWithParam<Trigger>
{
  protected:
    static void TearDownTestSuite()
    {
        std::cout << "\n| trigger | dump | how many | registers exact | stack unwinds in gdb |\n"
                  << "|---------|------|----------|-----------------|----------------------|\n"
                  << rows_ << std::endl;
    }

    static void row(const std::string& name, const std::string& dump, std::size_t count, bool exact,
                    const std::string& unwinds)
    {
        rows_ += "| " + name + " | " + dump + " | " + std::to_string(count) + " | " + (exact ? "yes" : "NO") +
                 " | " + unwinds + " |\n";
    }

    static inline std::string rows_;
};

TEST_P(TriggerMatrix, GivesOneDumpWithExactRegistersAndAStack)
{
    const Trigger& trigger = GetParam();
    std::vector<std::string> qemu = {
        "-kernel", support::required("KMD_PAYLOAD"), "-device",
        "loader,addr=0x48000000,data=" + std::to_string(static_cast<int>(trigger.mode)) + ",data-len=4"};
    qemu.insert(qemu.end(), trigger.qemu.begin(), trigger.qemu.end());
    QtestMachine machine("id=md" + trigger.properties, qemu);
    machine.qmp().execute("cont");
    const bool waits = trigger.mode == PayloadMode::kHang || trigger.mode == PayloadMode::kWaitAndPanic;
    for (int i = 0; waits && i < 2000 && machine.read32(device::kRegionCount) != 3; ++i) {
        std::this_thread::sleep_for(5ms);
    }
    std::this_thread::sleep_for(200ms);
    trigger.act(machine);
    if (trigger.ends_with) {
        EXPECT_EQ(machine.wait_for_the_end(), *trigger.ends_with) << machine.messages();
    }

    const auto dump = wait_for_dump(machine);
    if (!dump) {
        row(trigger.name, "none", 0, false, "NO");
        FAIL() << machine.messages();
    }
    const auto core = ElfCore::read(*dump);
    const std::string gdb = backtrace(*dump);
    const bool exact = has_last_words(core);
    const bool unwinds = frames_follow(gdb, {trigger.innermost, "die", "payload"});
    const auto chain = callers(core);
    const bool chained = chain.size() >= 2 && chain[0] == "die" && chain[1] == "payload";
    row(trigger.name, dump->filename().string(), machine.dumps().size(), exact,
        unwinds   ? "yes"
        : chained ? "no: PC in no function; frame records lead on"
                  : "NO");
    EXPECT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(dump->filename(), "kmemdump-0001-" + trigger.reason + ".elf");
    EXPECT_TRUE(exact);
    EXPECT_EQ(unwinds, trigger.gdb_unwinds) << gdb;
    EXPECT_TRUE(chained) << testing::PrintToString(chain);
}

INSTANTIATE_TEST_SUITE_P(EveryTrigger, TriggerMatrix, testing::ValuesIn(kTriggers),
                         [](const auto& info) { return test_name(info.param); });

} // namespace
