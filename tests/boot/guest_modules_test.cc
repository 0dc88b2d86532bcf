// SPDX-License-Identifier: GPL-2.0-or-later
//
// The test modules of tests/kernel in a stock kernel or one with our code built in, and what the
// driver says to bad input.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"
#include "ktap.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <string_view>

using boot::Guest;

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

/// The dump is there, does not claim to be all, and says how much of what is missing.
void expect_partial(const Guest& guest, const std::string& what)
{
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    std::ifstream file(guest.dumps()[0].string() + ".json");
    const auto sidecar = nlohmann::json::parse(file, nullptr, false);
    EXPECT_GT(sidecar.value(what, 0), 0) << sidecar;
    EXPECT_NE(guest.console().find("dump 1 (panic) partial:"), std::string::npos) << guest.console();
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
    expect_all_passed(guest, 10);
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
    EXPECT_EQ(count(guest.console(), "kmemdump-md: no controller found, expected a node compatible with "
                                     "\"kmemdump,md\" in the device tree"),
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
    // The list of extents is not in the file. Nor is the guest's ELF header, which is made when the table is
    // full already if the kernel has it all built in.
    const std::string regions = boot::kernel_has_it_built_in() ? " 11 regions," : " 10 regions,";
    EXPECT_NE(guest.messages().find(regions), std::string::npos) << guest.messages();
    // The log went in first.
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", guest.dumps().at(0).string()});
    EXPECT_NE(log.output.find("sysrq triggered crash"), std::string::npos) << log.output;
    expect_partial(guest, "regions_not_registered");
}

TEST(BadInput, ATableThatTakesTheLogAloneHasTheLog)
{
    // Without printk_rb_dynamic a kernel has one fewer.
    Guest guest(
        {.properties = "max-regions=" + std::string(boot::kernel_release().starts_with("6.1.") ? "6" : "7")});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", guest.dumps()[0].string()});
    EXPECT_NE(log.output.find("sysrq triggered crash"), std::string::npos) << log.output;
    expect_partial(guest, "regions_not_registered");
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

TEST(Locks, NobodyWaitsLongForKmemdump)
{
    Guest guest({.initrd = test_initrd(), .command_line = "kmd.sleepers=300 kmd.do=ktap:kmemdump_locks"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_all_passed(guest, 2);
    expect_a_healthy_kernel(guest);
}

TEST(AbandonedTable, IsDumpedBeforeItIsCleared)
{
    Guest guest({.initrd = test_initrd(), .command_line = "kmd.do=ktap:kmemdump_abandoned"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_all_passed(guest, 3);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-abandoned.elf");
    EXPECT_EQ(count(guest.console(), "1 regions of an earlier kernel are still in the table"), 1u)
        << guest.console();
}

TEST(FreedMemory, IsToldApartInThePanic)
{
    Guest guest({.initrd = test_initrd(), .command_line = "kmd.do=ktap:kmemdump_freed"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    for (const std::string name : {"page", "pages", "large", "vmalloc"}) {
        const std::regex freed("region freed " + name + " \\(uid .*its memory was freed or unplugged");
        EXPECT_TRUE(std::regex_search(console, freed)) << name << "\n" << console;
    }
    EXPECT_EQ(count(console, "its memory was freed or unplugged"), 4u) << console;
    EXPECT_NE(console.find("dump 1 (panic) partial:"), std::string::npos) << console;
    EXPECT_NE(console.find(" 4 rejected"), std::string::npos) << console;
    const auto info = support::run({support::required("KMD_KMDUMP"), "info", guest.dumps().at(0).string()});
    EXPECT_NE(info.output.find("'freed large'"), std::string::npos) << info.output;
    EXPECT_EQ(info.output.find("'kept"), std::string::npos) << info.output;
}

// The kernel dies while the driver comes or goes: whatever is in the table is dumped.
class Stage : public testing::TestWithParam<const char*>
{
};

TEST_P(Stage, ThatIsTheLastLeavesADump)
{
    Guest guest({.initrd = test_initrd(),
                 .command_line = std::string("kmd.first=kmemdump_stages kmd.param=function=") + GetParam() +
                                 " kmd.do=reload"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find(std::string("Kernel panic - not syncing: stage: ") + GetParam()),
              std::string::npos)
        << guest.console();
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-panic.elf");
}

// With 35 regions and the list, or fewer: the second is the first that can find one in the table.
INSTANTIATE_TEST_SUITE_P(OfTheDriver, Stage,
                         testing::Values("kmemdump_md_add:2", "kmemdump_md_add:20", "kmemdump_md_remove:1",
                                         "kmemdump_md_remove:20"),
                         [](const auto& suite) {
                             std::string name = suite.param;
                             std::replace(name.begin(), name.end(), ':', '_');
                             return name;
                         });

TEST(Symbols, OfAModuleAreNotTakenForTheKernelsAndDoNotKeepIt)
{
    Guest guest({.initrd = test_initrd(),
                 .command_line = "kmd.first=kmemdump_names_taken kmd.do=unload:kmemdump_names_taken"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find("init: kmemdump_names_taken is gone"), std::string::npos)
        << guest.console();
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
