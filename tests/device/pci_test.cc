// SPDX-License-Identifier: GPL-2.0-or-later
//
// The controller as a PCI function: its configuration space, its BAR, and that the window behind it is
// the same as on the platform.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"
#include "window.h"

#include <gtest/gtest.h>

#include <sstream>

using namespace device;
using support::ElfCore;
using support::QtestMachine;

namespace
{

/// ECAM of the arm virt machine, and where its 32-bit PCI memory begins.
constexpr std::uint64_t kEcam = 0x4010000000;
constexpr std::uint64_t kPciMemory = 0x10000000;

constexpr std::uint64_t kCommand = 0x04;
constexpr std::uint64_t kBar0 = 0x10;
constexpr std::uint64_t kBar1 = 0x14;
constexpr std::uint64_t kVirt = 0xffff800080000000;

/// A function of bus 0 by its device number.
class Function
{
  public:
    Function(QtestMachine& machine, unsigned device) : machine_(machine), config_(kEcam + (device << 15)) {}

    std::uint32_t read(std::uint64_t offset) { return machine_.read32(config_ + offset); }
    void write(std::uint64_t offset, std::uint32_t value) { machine_.write32(config_ + offset, value); }

    /// Puts BAR 0 to this address and lets it answer.
    void map(std::uint64_t address)
    {
        write(kBar0, static_cast<std::uint32_t>(address));
        write(kBar1, static_cast<std::uint32_t>(address >> 32));
        write(kCommand, 2);
    }

    std::uint64_t bar_size()
    {
        write(kBar0, 0xffffffff);
        write(kBar1, 0xffffffff);
        const std::uint64_t mask = std::uint64_t{read(kBar1)} << 32 | (read(kBar0) & ~0xfu);
        return ~mask + 1;
    }

  private:
    QtestMachine& machine_;
    std::uint64_t config_;
};

/// A function behind a root port, whose slot the guest can switch off.
class Slot
{
  public:
    explicit Slot(const std::string& properties)
        : machine("", {"-device", "pcie-root-port,id=rp,chassis=1,addr=6", "-device",
                       "kmemdump-md-pci,id=plugged,bus=rp," + properties})
    {
        port_.write(0x18, 0x00010100); // behind it is bus 1
        port_.write(0x20, kPciMemory | kPciMemory >> 16);
        port_.write(kCommand, 6);
        Function(machine, 32).map(kPciMemory); // the first device of bus 1
        std::uint64_t capability = port_.read(0x34) & 0xff;
        while ((port_.read(capability) & 0xff) != 0x10) {
            capability = port_.read(capability) >> 8 & 0xff;
        }
        control = kEcam + (6 << 15) + capability + 0x18;
    }

    QtestMachine machine;
    /// The slot's control register, and the value that switches power and its indicator off.
    std::uint64_t control = 0;
    static constexpr std::uint32_t kOff = 0x700;

  private:
    Function port_{machine, 6};
};

std::vector<std::string> function(const std::string& properties)
{
    return {"-device", "kmemdump-md-pci,addr=5" + (properties.empty() ? "" : "," + properties)};
}

TEST(Pci, IsOneFunctionWithA64BitBarAndNoInterrupt)
{
    const support::RunFolder folder;
    QtestMachine machine("", function("output=" + folder.path().string()));
    Function pci(machine, 5);
    EXPECT_EQ(pci.read(0x00), 0x10f31af4u);
    EXPECT_EQ(pci.read(0x08) >> 16, 0x0880u) << "a system peripheral";
    EXPECT_EQ(pci.read(kBar0) & 0xfu, 4u) << "memory, 64 bits, not prefetchable";
    EXPECT_EQ(pci.read(0x3c) >> 8 & 0xff, 0u) << "no interrupt pin";
    EXPECT_EQ(pci.read(0x34) & 0xff, 0u) << "no capability";
    // 512 slots of 64 bytes behind a page, up to a power of two.
    EXPECT_EQ(pci.bar_size(), 0x10000u);
    EXPECT_EQ(pci.read(0x18), 0u) << "no further BAR";
}

TEST(Pci, HasABarAsLargeAsTheTable)
{
    const support::RunFolder folder;
    QtestMachine machine("", function("slots=65536,output=" + folder.path().string()));
    EXPECT_EQ(Function(machine, 5).bar_size(), 0x800000u);
}

TEST(Pci, DumpsWhatIsRegisteredThroughItsBar)
{
    const support::RunFolder folder;
    QtestMachine machine("", function("output=" + folder.path().string()));
    const std::vector<std::byte> bytes(4096, std::byte{0x5a});
    machine.write_memory(kRam + 0x3000, bytes);
    Function(machine, 5).map(kPciMemory);
    EXPECT_EQ(machine.read32(kPciMemory), 0x444d4d4bu);
    EXPECT_EQ(commit(machine, 0, {kRam + 0x3000, kVirt, 4096, 7}, kPciMemory), 1u);
    EXPECT_EQ(ring(machine, kPanic, kPciMemory), 1u);
    EXPECT_EQ(commit(machine, 1, {kPciMemory, kVirt, 4096, 8}, kPciMemory), 18u) << "its own BAR is not RAM";
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u) << machine.messages();
    EXPECT_EQ(ElfCore::read(dumps[0]).physical(kRam + 0x3000, 4096), bytes);
    EXPECT_TRUE(machine.dumps().empty()) << "the controller on the platform has a table of its own";
}

TEST(Pci, AnswersBehindTheTableAsInAReservedPlace)
{
    const support::RunFolder folder;
    QtestMachine machine("", function("slots=1,output=" + folder.path().string()));
    Function(machine, 5).map(kPciMemory);
    EXPECT_EQ(machine.read32(kPciMemory + 0x1040), 0u);
    EXPECT_EQ(machine.read32(kPciMemory + 0x1ffc), 0u);
}

TEST(Pci, SeveralKeepTheirTablesApart)
{
    const support::RunFolder one;
    const support::RunFolder two;
    auto both = function("output=" + one.path().string());
    both.insert(both.end(), {"-device", "kmemdump-md-pci,addr=6,id=second,output=" + two.path().string()});
    QtestMachine machine("", both);
    Function(machine, 5).map(kPciMemory);
    Function(machine, 6).map(kPciMemory + 0x100000);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 4096, 7}, kPciMemory + 0x100000), 1u);
    EXPECT_EQ(machine.read32(kPciMemory + 0x2c), 0u);
    EXPECT_EQ(machine.read32(kRegionCount), 0u);
    EXPECT_EQ(ring(machine, kPanic, kPciMemory + 0x100000), 1u);
    EXPECT_TRUE(support::dumps_in(one.path()).empty());
    EXPECT_EQ(support::dumps_in(two.path()).size(), 1u);
    EXPECT_NE(machine.messages().find("kmemdump-md 'second': dump (panic)"), std::string::npos)
        << machine.messages();
}

TEST(Pci, IsResetWithTheMachine)
{
    const support::RunFolder folder;
    QtestMachine machine("", function("output=" + folder.path().string()));
    Function(machine, 5).map(kPciMemory);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 4096, 7}, kPciMemory), 1u);
    machine.reset();
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u) << "a reset with regions registered";
    Function(machine, 5).map(kPciMemory);
    EXPECT_EQ(machine.read32(kPciMemory + 0x2c), 0u);
}

TEST(Pci, GoesWithTheGuestIntoASnapshotAndBack)
{
    const support::RunFolder folder;
    ASSERT_EQ(support::run({"qemu-img", "create", "-f", "qcow2", folder.file("disk.qcow2"), "1M"}).status, 0);
    auto arguments = function("output=" + folder.path().string());
    arguments.insert(arguments.end(), {"-drive", "if=none,format=qcow2,file=" + folder.file("disk.qcow2")});
    QtestMachine machine("", arguments);
    Function(machine, 5).map(kPciMemory);
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 4096, 7}, kPciMemory), 1u);
    machine.qmp().execute("human-monitor-command", {{"command-line", "savevm before"}});
    machine.write32(kPciMemory + 0x28, 1);
    EXPECT_EQ(machine.read32(kPciMemory + 0x2c), 0u);
    Function(machine, 5).map(kPciMemory + 0x200000);
    machine.qmp().execute("human-monitor-command", {{"command-line", "loadvm before"}});
    EXPECT_EQ(machine.read32(kPciMemory + 0x2c), 1u) << "the table, at the place of before";
    EXPECT_EQ(ring(machine, kPanic, kPciMemory), 1u);
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u);
}

TEST(Pci, CanBePluggedAndUnpluggedWhileTheMachineRuns)
{
    const support::RunFolder folder;
    QtestMachine machine("", {"-device", "pcie-root-port,id=rp,chassis=1"});
    for (int round = 0; round < 3; ++round) {
        machine.qmp().execute("device_add", {{"driver", "kmemdump-md-pci"},
                                             {"bus", "rp"},
                                             {"id", "plugged"},
                                             {"output", folder.path().string()}});
        EXPECT_EQ(machine.qmp().execute("qom-get", {{"path", "plugged"}, {"property", "state"}}), "unused");
        machine.qmp().execute("qom-set", {{"path", "plugged"}, {"property", "trace"}, {"value", true}});
        // No guest has switched the slot on, so it is empty at once.
        machine.qmp().execute("device_del", {{"id", "plugged"}});
        machine.qmp().wait_event("DEVICE_DELETED", std::chrono::seconds(20));
    }
    // The others, and the machine, do not miss it.
    EXPECT_EQ(commit(machine, 0, {kRam, kVirt, 4096, 7}), 1u);
    machine.reset();
    EXPECT_EQ(machine.dumps().size(), 1u);
}

TEST(Pci, GuestThatSwitchesItsSlotOffLosesThatControllerAlone)
{
    const support::RunFolder folder;
    Slot slot("output=" + folder.path().string());
    EXPECT_EQ(commit(slot.machine, 0, {kRam, kVirt, 4096, 7}, kPciMemory), 1u);
    EXPECT_EQ(ring(slot.machine, kPanic, kPciMemory), 1u);
    slot.machine.write32(slot.control, Slot::kOff);
    slot.machine.qmp().wait_event("DEVICE_DELETED", std::chrono::seconds(20));
    EXPECT_NE(slot.machine.read32(kPciMemory), 0x444d4d4bu);
    slot.machine.write32(kPciMemory + 0x20, kPanic);
    EXPECT_EQ(commit(slot.machine, 0, {kRam, kVirt, 4096, 7}), 1u);
    slot.machine.reset();
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u) << "that of before";
    EXPECT_EQ(slot.machine.dumps().size(), 1u) << slot.machine.messages();
}

TEST(Pci, GuestThatSwitchesItsSlotOffRightBehindTheDoorbellGetsNoDump)
{
    const support::RunFolder folder;
    Slot slot("output=" + folder.path().string());
    EXPECT_EQ(commit(slot.machine, 0, {kRam, kVirt, 4096, 7}, kPciMemory), 1u);
    // QEMU executes the lines of one message without a turn of its main loop between them.
    std::ostringstream lines;
    lines << "writel " << kPciMemory + 0x20 << ' ' << kPanic << "\nwritel " << slot.control << ' '
          << Slot::kOff;
    slot.machine.send(lines.str());
    slot.machine.qmp().wait_event("DEVICE_DELETED", std::chrono::seconds(20));
    EXPECT_EQ(slot.machine.qmp().execute("query-status").at("status"), "prelaunch") << "its CPUs never run";
    EXPECT_TRUE(support::dumps_in(folder.path()).empty());
}

TEST(Pci, RefusesWhatTheOtherDeviceRefuses)
{
    auto command = support::qemu_command();
    command.insert(command.end(), {"-S", "-monitor", "null", "-device", "kmemdump-md-pci,slots=0"});
    const auto qemu = support::run(command, std::chrono::seconds(20));
    EXPECT_EQ(qemu.status, 1);
    EXPECT_NE(qemu.output.find("slots=0 is out of range: 1 to 65536"), std::string::npos) << qemu.output;
}

} // namespace
