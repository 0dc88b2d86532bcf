// SPDX-License-Identifier: GPL-2.0-or-later
//
// The test modules of tests/kernel in a stock kernel or one with our code built in, and what the
// driver says to bad input.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"
#include "ktap.h"

#include <gtest/gtest.h>

#include <regex>
#include <string_view>

using boot::Guest;
using boot::GuestOptions;

namespace
{

void expect_all_passed(const Guest& guest, std::size_t cases)
{
    const std::string console = guest.console();
    const auto report = boot::read_ktap(console);
    EXPECT_EQ(report.planned, cases) << console;
    EXPECT_EQ(report.cases.size(), cases) << console;
    for (const auto& result : report.cases) {
        EXPECT_TRUE(result.passed) << result.name << "\n" << console;
    }
    EXPECT_NE(console.find("init: tests done"), std::string::npos) << console;
}

void expect_a_healthy_kernel(const Guest& guest)
{
    const std::string console = guest.console();
    for (const std::string_view sign : {"BUG:", "WARNING:", "Oops", "scheduling while atomic"}) {
        EXPECT_EQ(console.find(sign), std::string::npos) << console;
    }
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

std::string test_initrd()
{
    return support::required("KMD_TEST_INITRD");
}

TEST(Lifetime, RegionsComeAndGoAsDocumented)
{
    Guest guest({.initrd = test_initrd(),
                 .command_line = "kmd.do=ktap:kmemdump_lifetime",
                 .properties = "max-regions=60"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_all_passed(guest, 12);
    expect_a_healthy_kernel(guest);
    // It was the device that refused, and one line says so.
    EXPECT_EQ(count(guest.console(), "expected a free slot: 60 of 512 are taken"), 1u) << guest.console();
}

// The window is memory that mem= hides from the kernel; there is no controller.
TEST(ForeignDevice, IsLeftAloneWithOneLineThatSaysWhatWasExpected)
{
    Guest guest({.initrd = test_initrd(),
                 .command_line = "kmd.do=ktap:kmemdump_md_foreign kmd.param=phys=0x4f000000 mem=240M",
                 .controller = false});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_all_passed(guest, 9);
    expect_a_healthy_kernel(guest);
    const std::string console = guest.console();
    EXPECT_EQ(count(console, "magic is 0xffffffff, expected 0x444d4d4b"), 1u) << console;
    EXPECT_EQ(count(console, "version is 2.0, expected 1.x"), 1u) << console;
    EXPECT_EQ(count(console, "expected slots of 64 inside"), 5u) << console;
    EXPECT_EQ(count(console, "expected 0x1000 at least"), 1u) << console;
}

TEST(BadInput, WithoutAControllerTheDriverSaysWhatItExpects)
{
    Guest guest({.command_line = "kmd.do=panic", .controller = false});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(
        count(guest.console(),
              "kmemdump-md: no controller here, expected one that is \"kmemdump,md\" in the device tree"),
        1u)
        << guest.console();
    EXPECT_NE(guest.console().find("sysrq triggered crash"), std::string::npos) << guest.console();
}

TEST(BadInput, AParameterOutOfRangeIsRefusedAndTheKernelBootsOn)
{
    Guest guest({.command_line = boot::driver_parameter("panic_dump=7")});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    if (boot::kernel_has_it_built_in()) {
        EXPECT_EQ(count(console, "`7' invalid for parameter `kmemdump_md.panic_dump'"), 1u) << console;
        EXPECT_EQ(guest.dumps().size(), 1u) << "the default is a dump";
    } else {
        // Once for each of the two system calls that busybox tries.
        EXPECT_EQ(count(console, "kmemdump_md: `7' invalid for parameter `panic_dump'"), 2u) << console;
        EXPECT_NE(console.find("init: the modules cannot be loaded"), std::string::npos) << console;
    }
    EXPECT_NE(console.find("sysrq triggered crash"), std::string::npos) << console;
}

TEST(BadInput, AFullTableCostsTheRegionsBehindAndOneLine)
{
    Guest guest({.properties = "inject-full=12"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    EXPECT_EQ(count(console, "not saved, expected a free slot: 12 of 512 are taken"), 1u) << console;
    EXPECT_NE(console.find("sysrq triggered crash"), std::string::npos) << console;
    expect_a_healthy_kernel(guest);
    // One of the twelve is the guest's ELF header, which is not in the file. Built in, the driver's
    // list of extents comes before most regions and takes another.
    const std::string regions = boot::kernel_has_it_built_in() ? " 10 regions," : " 11 regions,";
    EXPECT_NE(guest.messages().find(regions), std::string::npos) << guest.messages();
}

// The guest's own header is the file's here.
TEST(BadInput, ARegionThatTheControllerRefusesCostsThatRegionAndOneLine)
{
    Guest guest({.properties = "inject-refuse=20,format=coreimage,pause=on"});
    guest.qmp().wait_event("STOP", std::chrono::minutes(5));
    const std::string console = guest.console();
    static const std::regex kRefused(
        R"(region \S+ \(uid (\d+), .* not accepted, status 22: the host refuses it)");
    const auto lines = std::sregex_iterator(console.begin(), console.end(), kRefused);
    ASSERT_EQ(std::distance(lines, {}), 1) << console;
    const auto regions = guest.regions();
    EXPECT_FALSE(regions.contains(std::stoul((*lines)[1])));
    EXPECT_GT(regions.size(), 20u);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto dump = support::ElfCore::read(guest.dumps()[0]);
    // All but the header itself and vmcoreinfo, which is a note.
    EXPECT_EQ(dump.segments.size(), regions.size() - 2);
}

// CONFIG_KMEMDUMP=n, seen by who uses the header.
TEST(CompiledOut, TheHeaderRegistersNothingAndAllocates)
{
    Guest guest({.initrd = test_initrd(), .command_line = "kmd.do=ktap:kmemdump_compiled_out"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_all_passed(guest, 2);
    expect_a_healthy_kernel(guest);
}

} // namespace
