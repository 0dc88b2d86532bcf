// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which triggers are wanted, and what they leave to be seen. That each gives one true dump is shown in
// trigger_matrix_test.cc.
#include "elf_core.h"
#include "environment.h"
#include "payload_machine.h"
#include "window.h"

#include <gtest/gtest.h>

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
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

TEST(Trigger, ResetThatIsNotWanted)
{
    PayloadMachine machine(PayloadMode::kReset, "on-reset=off", {"-no-reboot"});
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    EXPECT_TRUE(machine.dumps().empty());
}

TEST(Trigger, PowerOffThatIsNotWanted)
{
    PayloadMachine machine(PayloadMode::kPowerOff, "on-shutdown=off");
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    EXPECT_TRUE(machine.dumps().empty());
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
                     "qom-set: 'because' is not a reason for a dump: expected 'host' or 'hang'");
    }
    EXPECT_TRUE(machine.dumps().empty());
}

std::string run_state(support::Qmp& qmp)
{
    return qmp.execute("query-status")["status"];
}

TEST(Pause, StopsTheGuestWhateverItsDumpWasTakenFor)
{
    PayloadMachine machine(PayloadMode::kHang, "pause=on");
    for (const char* reason : {"host", "hang"}) {
        machine.request_dump(reason);
        EXPECT_EQ(run_state(machine.qmp()), "paused") << reason;
        machine.request_dump(reason);
        EXPECT_EQ(run_state(machine.qmp()), "paused") << "a request does not let it go on";
        machine.qmp().execute("cont");
        EXPECT_EQ(run_state(machine.qmp()), "running");
    }
    EXPECT_EQ(machine.dumps().size(), 4u);
}

std::uint64_t register_of_first_cpu(const ElfCore& core, std::size_t number)
{
    std::uint64_t value = 0;
    std::memcpy(&value, core.notes.at(0).description.data() + 112 + number * 8, 8);
    return value;
}

/// QEMU's main loop, which stands still meanwhile; its other threads go on.
class MainLoopStopped
{
  public:
    explicit MainLoopStopped(pid_t qemu) : qemu_(qemu)
    {
        EXPECT_EQ(::ptrace(PTRACE_SEIZE, qemu_, nullptr, nullptr), 0) << std::strerror(errno);
        EXPECT_EQ(::ptrace(PTRACE_INTERRUPT, qemu_, nullptr, nullptr), 0) << std::strerror(errno);
        EXPECT_EQ(::waitpid(qemu_, nullptr, __WALL), qemu_) << std::strerror(errno);
    }
    MainLoopStopped(const MainLoopStopped&) = delete;
    MainLoopStopped& operator=(const MainLoopStopped&) = delete;
    ~MainLoopStopped() { ::ptrace(PTRACE_DETACH, qemu_, nullptr, nullptr); }

  private:
    pid_t qemu_;
};

// The disk waits for its request within the reset. Bottom halves and timers of the main loop run there
// meanwhile: in the CPU's thread, in the middle of the access.
TEST(Doorbell, RungRightBeforeADiskIsResetIsAnsweredByTheMainLoopAfterThat)
{
    PayloadMachine machine(PayloadMode::kPanicAndResetDisk, "",
                           {"-global", "virtio-mmio.ioeventfd=off", "-blockdev",
                            "driver=null-co,node-name=disk,size=1048576,read-zeroes=on,latency-ns=300000000",
                            "-device", "virtio-blk-device,drive=disk"});
    {
        const MainLoopStopped stopped(machine.pid());
        ASSERT_TRUE(machine.dumps().empty()) << "the payload rings three seconds after it is ready";
        std::this_thread::sleep_for(std::chrono::seconds(5));
        EXPECT_TRUE(machine.dumps().empty()) << "taken in the CPU's thread";
    }
    for (int i = 0; i < 4000 && machine.console().find("answered") == std::string::npos; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_NE(machine.console().find("answered"), std::string::npos) << machine.console();
    expect_one_dump(machine, "panic");
    const std::uint64_t pc = register_of_first_cpu(ElfCore::read(machine.dumps()[0]), 32);
    const auto code = ElfCore::read(support::required("KMD_PAYLOAD")).physical(pc, 4);
    ASSERT_EQ(code.size(), 4u) << std::hex << pc;
    std::uint32_t instruction = 0;
    std::memcpy(&instruction, code.data(), 4);
    const bool waits = (instruction & 0xffc0001f) == 0xb9400000 || (instruction & 0x7f000000) == 0x37000000;
    // Newer QEMUs end a translation block at each MMIO access, and stop the CPU right after the doorbell.
    const bool is_to_reset_the_disk = (instruction & 0xffc0001f) == 0xb900001f;
    EXPECT_TRUE(waits || is_to_reset_the_disk)
        << std::hex << "PC " << pc << " is at " << instruction
        << ", neither in the loop that waits for the answer nor at the store that resets the disk";
}

/// As a PCI device, driven through its configuration space as firmware and driver would.
TEST(Pvpanic, ThatLetsTheGuestRunOnIsOneIncidentHoweverOftenItIsSaid)
{
    constexpr std::uint64_t kConfiguration = 0x4010000000 + (1ull << 15);
    constexpr std::uint64_t kBar = 0x10000000;
    support::QtestMachine machine("event=on", {"-device", "pvpanic-pci,addr=1", "-action", "panic=none"});
    ASSERT_EQ(device::commit(machine, 0, {device::kRam, 0xffff800080000000, 8, 1}), 1u);
    machine.qmp().execute("cont");
    ASSERT_EQ(machine.read32(kConfiguration) & 0xffff, 0x1b36u);
    machine.write32(kConfiguration + 0x10, kBar);
    machine.write32(kConfiguration + 0x04, 2);
    machine.write8(kBar, 1);
    machine.qmp().wait_event("DUMP_COMPLETED", std::chrono::seconds(20));
    for (int i = 0; i < 20; ++i) {
        machine.write8(kBar, 1);
    }
    EXPECT_EQ(machine.qmp().execute("query-status")["status"], "running");
    EXPECT_EQ(machine.read32(device::kDumpCount), 1u);
    EXPECT_EQ(machine.dumps().size(), 1u);
}

} // namespace
