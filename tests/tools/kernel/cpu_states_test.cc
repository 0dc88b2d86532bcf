// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what is said of CPUs whose kernel called firmware, and the numbers of CPUs: an invented riscv64
// guest.
#include "kmdump/kernel/cpu_states.h"

#include "core_maker.h"
#include "kmdump/kernel/symbol_source.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace
{

using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint16_t kRiscv = 243; // EM_RISCV
constexpr std::uint64_t kFirmwareStack = 0x80046000;
constexpr std::uint64_t kFirmwareCode = 0x80002748;
constexpr std::uint64_t kStack = 0xff20000000013000;
constexpr std::uint64_t kCode = 0xffffffff80001000;
constexpr std::uint64_t kTask = 0xff60000002690000;
constexpr std::uint64_t kData = 0xffffffff81db6000;

/// NT_PRSTATUS: the registers begin at 112 with pc; x1 is ra, x2 sp, x4 tp, x8 the frame pointer.
Bytes note(std::uint64_t pc, std::uint64_t sp, std::uint64_t tp, std::uint64_t frame_pointer)
{
    Bytes bytes(376);
    put(bytes, 112, pc, 8);
    put(bytes, 112 + 8 * 2, sp, 8);
    put(bytes, 112 + 8 * 4, tp, 8);
    put(bytes, 112 + 8 * 8, frame_pointer, 8);
    return bytes;
}

/// Hart 0 runs the kernel; hart 1 is in firmware, which the kernel called.
struct Guest {
    Bytes firmware_stack = Bytes(0x1000);
    Bytes stack = Bytes(0x1000);
    Bytes data = Bytes(0x1000);

    Guest()
    {
        constexpr std::size_t saved = 0xee8;
        put(firmware_stack, saved + 8 * 2, kStack + 0xc00, 8);
        put(firmware_stack, saved + 8 * 4, kTask, 8);
        put(firmware_stack, saved + 8 * 8, kStack + 0xd00, 8);
        put(firmware_stack, saved + 8 * 32, kCode + 0x10, 8); // mepc
        put(stack, 0xd00 - 16, kStack + 0xe00, 8);
        put(stack, 0xd00 - 8, kCode + 0x100, 8);
        put(stack, 0xe00 - 16, 0x3fffc000, 8); // the stack pointer of a program
        put(stack, 0xe00 - 8, kCode + 0x200, 8);
        harts(1, 0);
    }

    /// Of the kernel's CPUs 0 and 1.
    void harts(std::uint64_t first, std::uint64_t second)
    {
        put(data, 0, first, 8);
        put(data, 8, second, 8);
    }

    std::vector<kmdump::CpuState> cpus() const
    {
        CoreMaker maker;
        maker.machine = kRiscv;
        maker.vmcoreinfo = "OSRELEASE=test\n";
        maker.layout = "KMD_LAYOUT=1\nSYMBOL(__cpuid_to_hartid_map)=ffffffff81db6000\n"
                       "SYMBOL(panic_cpu)=ffffffff81db6100\n";
        maker.prstatus = {note(kCode + 0x80, kStack + 0x800, kTask + 0x40, kStack + 0xd00),
                          note(kFirmwareCode, kFirmwareStack + 0xd78, kTask, kFirmwareStack + 0xde8)};
        maker.memory = {{kFirmwareStack, kFirmwareStack, firmware_stack},
                        {kStack, 0x81000000, stack},
                        {kData, 0x82000000, data}};
        const TemporaryFile file(maker.make());
        const auto opened = kmdump::open_with_symbols(file.path(), "");
        EXPECT_TRUE(opened) << opened.error().what;
        const auto& [dump, source] = opened.value();
        const auto states = kmdump::read_cpu_states(dump, source.symbols);
        EXPECT_TRUE(states);
        return states ? states.value() : std::vector<kmdump::CpuState>(2);
    }
};

std::vector<std::uint64_t> addresses(const kmdump::Backtrace& trace)
{
    std::vector<std::uint64_t> found;
    for (const kmdump::Frame& frame : trace.frames) {
        found.push_back(frame.address);
    }
    return found;
}

TEST(CpuStates, InFirmwareHaveTheCallsOfTheKernelThatCalledIt)
{
    const auto cpus = Guest().cpus();
    EXPECT_EQ(cpus[0].activity, kmdump::CpuActivity::kFirmware);
    EXPECT_EQ(addresses(cpus[0].backtrace),
              (std::vector<std::uint64_t>{kFirmwareCode, kCode + 0x10, kCode + 0x100}));
    EXPECT_EQ(cpus[0].backtrace.cut, "");
}

TEST(CpuStates, InFirmwareThatSavedNothingSaySo)
{
    Guest guest;
    guest.firmware_stack = Bytes(0x1000);
    const auto cpus = guest.cpus();
    EXPECT_EQ(addresses(cpus[0].backtrace), (std::vector<std::uint64_t>{kFirmwareCode}));
    EXPECT_EQ(cpus[0].backtrace.cut, "the firmware's stack has no registers of the kernel");
}

TEST(CpuStates, HaveTheKernelsNumbers)
{
    Guest guest;
    auto cpus = guest.cpus();
    EXPECT_EQ(cpus[0].registers.pc, kFirmwareCode);
    EXPECT_TRUE(cpus[0].panicked) << "panic_cpu is 0";
    EXPECT_EQ(cpus[1].registers.pc, kCode + 0x80);
    guest.harts(0, 1);
    EXPECT_EQ(guest.cpus()[0].registers.pc, kCode + 0x80);
}

TEST(CpuStates, KeepTheirOrderIfTheKernelsNumbersAreNone)
{
    for (const auto& [first, second] : {std::pair(1, 1), std::pair(1, 2), std::pair(7, 0)}) {
        Guest guest;
        guest.harts(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(second));
        const auto cpus = guest.cpus();
        ASSERT_EQ(cpus.size(), 2u);
        EXPECT_EQ(cpus[0].registers.pc, kCode + 0x80) << first << " " << second;
        EXPECT_EQ(cpus[1].registers.pc, kFirmwareCode);
    }
}

} // namespace
