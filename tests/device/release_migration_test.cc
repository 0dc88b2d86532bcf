// SPDX-License-Identifier: GPL-2.0-or-later
//
// The table goes from the installed QEMU to that of another release (KMD_QEMU_X86). The machine is q35,
// because QEMU 10 loads no state of an arm CPU of QEMU 7.2, with or without us.
#include "environment.h"
#include "run_folder.h"
#include "window.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace device;
using support::ElfCore;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kVirt = 0xffff888000000000;
constexpr std::uint64_t kPcRam = 0x100000;
/// Free on q35, behind the I/O APIC.
constexpr std::uint64_t kPcWindow = 0xfec10000;

/// Both sides have the older one's machine. Of -M and -cpu the last counts.
const std::vector<std::string> kMachine = {"-M",   "pc-q35-7.2", "-cpu", "qemu64",
                                           "-vga", "none",       "-net", "none"};

std::string at_window(const std::string& more = "")
{
    return "addr=" + std::to_string(kPcWindow) + more;
}

class ReleaseMigration : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(::setenv("KMD_QEMU", "qemu-system-x86_64", 1), 0);
        {
            QtestMachine source(at_window(), kMachine);
            source.write_memory(kPcRam, std::vector<std::byte>(4096, std::byte{0x5a}));
            ASSERT_EQ(commit(source, 3, {kPcRam, kVirt, 4096, 7}, kPcWindow), 1u);
            source.qmp().execute("migrate", {{"uri", "exec:cat >" + stream()}});
            wait_until(
                [&] { return source.qmp().execute("query-migrate").value("status", "") == "completed"; });
        }
        ASSERT_EQ(::setenv("KMD_QEMU", support::required("KMD_QEMU_X86").c_str(), 1), 0);
    }

    std::string stream() const { return folder_.file("stream"); }

    std::vector<std::string> incoming() const
    {
        auto arguments = kMachine;
        arguments.insert(arguments.end(), {"-incoming", "exec:cat " + stream()});
        return arguments;
    }

    support::RunFolder folder_;
};

TEST_F(ReleaseMigration, CarriesTheTableIntoAnotherQemu)
{
    QtestMachine target(at_window(), incoming());
    wait_until([&] { return target.qmp().execute("query-status")["status"] != "inmigrate"; });
    EXPECT_EQ(target.read32(kPcWindow + 0x2c), 1u) << target.messages();
    EXPECT_EQ(target.read64(slot(3, kPcWindow)), kPcRam);
    EXPECT_EQ(ring(target, kPanic, kPcWindow), 1u);
    ASSERT_EQ(target.dumps().size(), 1u) << target.messages();
    EXPECT_EQ(ElfCore::read(target.dumps()[0]).physical(kPcRam, 4096),
              std::vector<std::byte>(4096, std::byte{0x5a}));
}

TEST_F(ReleaseMigration, IntoATableOfAnotherSizeIsRefusedWithBothNumbers)
{
    QtestMachine target(at_window(",slots=100"), incoming());
    EXPECT_EQ(target.wait_for_the_end(), 1);
    EXPECT_NE(
        target.messages().find("kmemdump-md: the incoming state has 512 slots, this controller has 100: "
                               "give it slots=512"),
        std::string::npos)
        << target.messages();
}

/// Configuration space of a PC's bus 0, by ports.
class PortConfiguration
{
  public:
    PortConfiguration(QtestMachine& machine, std::uint32_t device) : machine_(machine), device_(device) {}

    std::uint32_t read(std::uint32_t offset)
    {
        select(offset);
        return machine_.in32(0xcfc);
    }
    void write(std::uint32_t offset, std::uint32_t value)
    {
        select(offset);
        machine_.out32(0xcfc, value);
    }

  private:
    void select(std::uint32_t offset) { machine_.out32(0xcf8, 0x80000000 | device_ << 11 | offset); }

    QtestMachine& machine_;
    std::uint32_t device_;
};

TEST(Q35, HasTheWindowInABarOfItsPciBus)
{
    constexpr std::uint64_t kBar = 0xe0000000;
    ASSERT_EQ(::setenv("KMD_QEMU", support::required("KMD_QEMU_X86").c_str(), 1), 0);
    const support::RunFolder folder;
    auto arguments = kMachine;
    arguments.insert(arguments.end(), {"-device", "kmemdump-md-pci,addr=5,output=" + folder.path().string()});
    QtestMachine machine(at_window(), arguments);
    PortConfiguration pci(machine, 5);
    EXPECT_EQ(pci.read(0x00), 0x10f31af4u);
    pci.write(0x10, kBar);
    pci.write(0x04, 2);
    EXPECT_EQ(machine.read32(kBar), 0x444d4d4bu);
    machine.write_memory(kPcRam, std::vector<std::byte>(4096, std::byte{0x5a}));
    EXPECT_EQ(commit(machine, 0, {kPcRam, kVirt, 4096, 7}, kBar), 1u);
    EXPECT_EQ(ring(machine, kPanic, kBar), 1u);
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u) << machine.messages();
    EXPECT_EQ(ElfCore::read(dumps[0]).physical(kPcRam, 4096), std::vector<std::byte>(4096, std::byte{0x5a}));
    EXPECT_EQ(commit(machine, 1, {0xfee00000, kVirt, 4096, 8}, kBar), 18u) << "the APIC is not RAM";
}

} // namespace
