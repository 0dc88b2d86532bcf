// SPDX-License-Identifier: GPL-2.0-or-later
//
// Profiles: which memory beyond the log a stock kernel has saved, and that a kernel whose own lists
// are broken still has its log saved, and the tasks that can be reached.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <optional>
#include <regex>
#include <string>
#include <vector>

using boot::Guest;
using support::ElfCore;

namespace
{

/// A kernel with nothing to do has so many tasks at least.
constexpr unsigned kIdleTasks = 30;

/// Processes that sleep, started so that every kernel has more than so many tasks.
constexpr unsigned kSleepers = 40;
const std::string kWithSleepers = "kmd.sleepers=" + std::to_string(kSleepers);

/// One line of kmemdump.ko: what it found when the kernel died.
struct Found {
    unsigned tasks = 0;
    unsigned pages = 0;
    unsigned extents = 0;
    unsigned microseconds = 0;
};

std::optional<Found> last_report(const std::string& text, const std::string& profile)
{
    static const std::regex kLine(R"(profile (\w+): (\d+) tasks, (\d+) pages in (\d+) extents, (\d+) us)");
    std::optional<Found> found;
    for (std::sregex_iterator at(text.begin(), text.end(), kLine), end; at != end; ++at) {
        EXPECT_EQ((*at)[1], profile);
        const auto number = [&](int group) { return static_cast<unsigned>(std::stoul((*at)[group])); };
        found = {number(2), number(3), number(4), number(5)};
    }
    return found;
}

/// The log in the only dump there is.
std::string log_of(const Guest& guest)
{
    return support::run({support::required("KMD_KMDUMP"), "log", guest.dumps().at(0).string()}).output;
}

/// What kmdump shows of the CPUs of the only dump there is.
std::string cpus_of(const Guest& guest)
{
    return support::run({support::required("KMD_KMDUMP"), "cpus", guest.dumps().at(0).string()}).output;
}

/// Debian's 6.1 has no CONFIG_KALLSYMS_ALL: the list of modules cannot be found there.
bool finds_modules()
{
    return !boot::kernel_release().starts_with("6.1.");
}

/// What docs/register-spec.md section 5.2 says of an entry.
struct Extent {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
};

std::vector<Extent> extents_of(const ElfCore& ram, const boot::RegisteredRegion& list)
{
    const auto bytes = ram.physical(list.phys, list.size);
    std::vector<Extent> extents;
    for (std::size_t at = 0; at + 24 <= bytes.size(); at += 24) {
        Extent extent;
        std::memcpy(&extent.phys, bytes.data() + at, 8);
        std::memcpy(&extent.virt, bytes.data() + at + 8, 8);
        std::memcpy(&extent.size, bytes.data() + at + 16, 8);
        if (extent.size != 0) {
            extents.push_back(extent);
        }
    }
    return extents;
}

bool has_segment_for(const ElfCore& dump, const Extent& extent)
{
    return std::any_of(dump.segments.begin(), dump.segments.end(), [&](const auto& segment) {
        return extent.phys - segment.phys < segment.file_size &&
               extent.virt - segment.virt == extent.phys - segment.phys &&
               extent.size <= segment.file_size - (extent.phys - segment.phys);
    });
}

TEST(Profile, OfStacksBringsEveryExtentIntoTheDumpAtItsAddress)
{
    Guest guest({.command_line = kWithSleepers + " kmemdump.kallsyms=0", .properties = "pause=on"});
    guest.qmp().wait_event("STOP", std::chrono::seconds(180));
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    guest.qmp().execute("dump-guest-memory",
                        {{"paging", false}, {"protocol", "file:" + guest.folder().file("full.core")}});
    const auto ram = ElfCore::read(guest.folder().file("full.core"));
    const auto dump = ElfCore::read(guest.dumps()[0]);
    const auto found = last_report(log_of(guest), "stacks");
    ASSERT_TRUE(found) << guest.console();

    const auto extents = extents_of(ram, guest.regions().at(0));
    EXPECT_EQ(extents.size(), found->extents);
    std::uint64_t bytes = 0;
    for (const Extent& extent : extents) {
        EXPECT_TRUE(has_segment_for(dump, extent)) << std::hex << extent.phys << " at " << extent.virt;
        bytes += extent.size;
    }
    EXPECT_EQ(bytes, std::uint64_t{found->pages} * 4096);
    EXPECT_GT(found->tasks, kSleepers);
    // Four pages of stack and one of the task itself.
    EXPECT_GT(found->pages, found->tasks * 5);
    std::cout << "figures: profile stacks: " << found->tasks << " tasks, " << found->pages << " pages, "
              << found->microseconds << " us, " << dump.bytes.size() << " bytes\n";
}

/// The size of the dump of one profile.
std::uintmax_t size_of(const std::string& options, const std::string& profile)
{
    Guest guest({.command_line = options});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto found = last_report(log_of(guest), profile);
    EXPECT_EQ(found.has_value(), profile != "log") << guest.console();
    const auto size = file_size(guest.dumps().at(0));
    std::cout << "figures: " << options << ": " << size << " bytes";
    if (found) {
        std::cout << ", " << found->pages << " pages, " << found->microseconds << " us";
    }
    std::cout << "\n";
    return size;
}

TEST(Profile, IsChosenByAParameterAndEachIsLargerThanTheOneBefore)
{
    const auto log = size_of("kmemdump.profile=log", "log");
    const auto tasks = size_of("kmemdump.profile=tasks kmemdump.kallsyms=0", "tasks");
    const auto stacks = size_of("kmemdump.profile=stacks kmemdump.kallsyms=0", "stacks");
    const auto by_default = size_of("", "stacks");
    EXPECT_LT(log, 1280u * 1024);
    EXPECT_LT(log, tasks);
    EXPECT_LT(tasks + kIdleTasks * 16384, stacks);
    if (boot::kernel_release().starts_with("6.1.")) {
        // Its kallsyms does not know its own tables: CONFIG_KALLSYMS_ALL=n.
        EXPECT_NEAR(stacks, by_default, 65536);
    } else {
        EXPECT_LT(stacks, by_default);
    }
    EXPECT_LE(by_default, boot::most_bytes_by_default());
}

TEST(Profile, ThatDoesNotExistIsRefusedWithThoseThatDo)
{
    Guest guest({.command_line = "kmemdump.profile=everything kmd.do=poweroff"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find("profile=everything is unknown, expected log, tasks or stacks"),
              std::string::npos)
        << guest.console();
}

TEST(Profile, ThatFindsMoreThanItMaySaysSoAndSavesTheRest)
{
    Guest guest({.command_line = "kmemdump.max_pages=100"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const std::string log = log_of(guest);
    EXPECT_NE(log.find(" 100 pages in "), std::string::npos) << log;
    EXPECT_NE(log.find("max_pages=100 is reached, "), std::string::npos) << log;
}

TEST(Profile, HasTheTasksOfAGuestThatOnlyTheHostSawEnd)
{
    Guest guest({.command_line = "kmd.do=reset"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto found = last_report(log_of(guest), "stacks");
    ASSERT_TRUE(found) << guest.console();
    EXPECT_GT(found->tasks, kIdleTasks);
    EXPECT_GT(file_size(guest.dumps()[0]), std::uintmax_t{found->pages} * 4096);
}

class BrokenKernel : public testing::TestWithParam<const char*>
{
};

TEST_P(BrokenKernel, StillHasItsLogAndTheTasksThatCanBeReached)
{
    const std::string what = GetParam();
    Guest guest({.initrd = support::required("KMD_TEST_INITRD"),
                 .command_line = kWithSleepers + " kmd.do=ktap:kmemdump_corrupt kmd.param=what=" + what});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    const std::string log = log_of(guest);
    EXPECT_NE(log.find("Kernel panic - not syncing: corrupted: " + what), std::string::npos) << log;
    EXPECT_EQ(log.find("Unable to handle"), std::string::npos) << log;
    const auto found = last_report(log, "stacks");
    ASSERT_TRUE(found) << guest.console();
    EXPECT_GT(found->tasks, kSleepers);
    EXPECT_LT(found->microseconds, 1'000'000u);
    EXPECT_EQ(log.find("of the kernel are broken") != std::string::npos, what != "stack" && what != "module")
        << log;
    // The panic comes out of the start of a module, whose names are still those of its file.
    if (finds_modules()) {
        const std::string cpus = cpus_of(guest);
        EXPECT_TRUE(
            std::regex_search(cpus, std::regex(R"(  corrupt_init\+0x\w+/0x\w+ \[kmemdump_corrupt\])")))
            << cpus;
        EXPECT_TRUE(std::regex_search(cpus, std::regex(boot::kernel_has_it_built_in()
                                                           ? R"(  md_panic\+0x\w+/0x\w+)"
                                                           : R"(  md_panic\+0x\w+/0x\w+ \[kmemdump_md\])")))
            << cpus;
        EXPECT_TRUE(std::regex_search(
            cpus, std::regex(R"(\nmodule kmemdump_(md|corrupt): code at 0xffff\w+, \d+ bytes\n)")))
            << cpus;
    }
}

INSTANTIATE_TEST_SUITE_P(Lists, BrokenKernel,
                         testing::Values("cut", "circle", "device", "stack", "thread", "pids", "module"),
                         [](const auto& suite) { return suite.param; });

} // namespace
