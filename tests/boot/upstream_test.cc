// SPDX-License-Identifier: GPL-2.0-or-later
//
// The controller's driver built for the APIs of the kernel patch series, in a stock kernel with a
// module that stands in for the series (tests/kernel/upstream).
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <set>

using boot::Guest;
using support::ElfCore;

namespace
{

using Bytes = std::vector<std::byte>;
using Regions = std::map<std::uint32_t, boot::RegisteredRegion>;

constexpr std::size_t kPage = 4096;

/// What fill_pattern() of tests/kernel/upstream/pattern.h leaves in memory.
Bytes pattern(std::size_t size, unsigned seed)
{
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(seed + 7 * i);
    }
    return bytes;
}

/// A guest that stands still after its dump: that dump, QEMU's own, and the controller's table.
struct Crash {
    Crash(const std::string& series, const std::string& action)
        : guest({.initrd = support::required("KMD_TEST_INITRD"),
                 .command_line = "kmd.load=" + series + " kmd.do=" + action,
                 .properties = "pause=on"})
    {
        guest.qmp().wait_event("STOP", std::chrono::seconds(120));
        const auto full_path = guest.folder().file("full.core");
        guest.qmp().execute("dump-guest-memory", {{"paging", false}, {"protocol", "file:" + full_path}});
        full = ElfCore::read(full_path);
        dump = ElfCore::read(guest.dumps().at(0));
        regions = guest.regions();
    }

    std::set<std::uint32_t> ids() const
    {
        std::set<std::uint32_t> ids;
        for (const auto& [id, region] : regions) {
            ids.insert(id);
        }
        return ids;
    }

    Bytes saved(std::uint32_t id) const { return dump.physical(regions.at(id).phys, regions.at(id).size); }

    void expect_the_bytes_of_qemu() const
    {
        for (const auto& [id, region] : regions) {
            const auto expected = full.physical(region.phys, region.size);
            EXPECT_EQ(expected.size(), region.size) << id;
            EXPECT_EQ(saved(id), expected) << id;
        }
    }

    Guest guest;
    ElfCore full;
    ElfCore dump;
    Regions regions;
};

bool has_vmcoreinfo(const ElfCore& core)
{
    for (const auto& note : core.notes) {
        if (note.name == "VMCOREINFO" &&
            std::string(reinterpret_cast<const char*>(note.description.data()), 10) == "OSRELEASE=") {
            return true;
        }
    }
    return false;
}

// vmcoreinfo 2, jiffies_64 10, init_uts_ns 21, user 32, the first free one 34.
TEST(RfcV2, RegionsThatWereThereFirstAreHandedOver)
{
    const Crash crash("rfc_v2", "panic");
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 10, 21, 32, 34}));
    EXPECT_EQ(crash.saved(32), pattern(3 * kPage, 1));
    EXPECT_EQ(crash.saved(34), pattern(kPage, 2));
    EXPECT_TRUE(has_vmcoreinfo(crash.dump));
    crash.expect_the_bytes_of_qemu();
}

TEST(RfcV2, RegionsThatComeAndGoLaterAreFollowed)
{
    const Crash crash("rfc_v2", "step");
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 10, 32, 34, 35}));
    EXPECT_EQ(crash.saved(35), pattern(100, 3));
    crash.expect_the_bytes_of_qemu();
}

TEST(RfcV2, DriverCanBeReloaded)
{
    const Crash crash("rfc_v2", "reload");
    EXPECT_NE(crash.guest.console().find("init: modules loaded again"), std::string::npos)
        << crash.guest.console();
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 10, 21, 32, 34}));
    crash.expect_the_bytes_of_qemu();
}

// vmcoreinfo 2, jiffies_64 10, two dynamic ones from 44 on.
TEST(MeminspectV3, EntriesThatWereThereFirstAreTraversed)
{
    const Crash crash("meminspect_v3", "panic");
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 10, 44, 45}));
    EXPECT_EQ(crash.saved(44), pattern(3 * kPage, 1));
    EXPECT_EQ(crash.saved(45), pattern(kPage, 2));
    EXPECT_TRUE(has_vmcoreinfo(crash.dump));
    crash.expect_the_bytes_of_qemu();
}

// 10 is removed, 44 replaced, 46 added, and everything announced a second time.
TEST(MeminspectV3, NotificationsAreFollowedAndRepeatedOnesMakeNoDuplicates)
{
    const Crash crash("meminspect_v3", "step");
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 44, 45, 46}));
    EXPECT_EQ(crash.saved(44), pattern(2 * kPage, 4));
    EXPECT_EQ(crash.saved(46), pattern(100, 3));
    crash.expect_the_bytes_of_qemu();
    EXPECT_EQ(crash.guest.console().find("not accepted"), std::string::npos) << crash.guest.console();
}

TEST(MeminspectV3, DriverCanBeReloaded)
{
    const Crash crash("meminspect_v3", "reload");
    EXPECT_NE(crash.guest.console().find("meminspect: 4 regions given back"), std::string::npos)
        << crash.guest.console();
    EXPECT_NE(crash.guest.console().find("init: modules loaded again"), std::string::npos)
        << crash.guest.console();
    EXPECT_EQ(crash.ids(), (std::set<std::uint32_t>{2, 10, 44, 45}));
    crash.expect_the_bytes_of_qemu();
}

} // namespace
