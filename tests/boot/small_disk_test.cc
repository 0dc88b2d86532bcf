// SPDX-License-Identifier: GPL-2.0-or-later
//
// A stock guest crashes on a host whose disk has no room for all of the dump: what is there is the log and
// the registers, and everything says that the rest is missing. Zeros need no room.
#include "child_process.h"
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

using support::ElfCore;

namespace
{

namespace fs = std::filesystem;

/// What gdb says of the CPUs.
std::string gdb_registers(const fs::path& core)
{
    return support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "set architecture aarch64", "-ex",
                         "core-file " + core.string(), "-ex", "info threads", "-ex", "info registers pc sp"})
        .output;
}

TEST(SmallDisk, GuestThatCrashesLeavesItsLogAndRegistersAndTheSidecarSaysWhatIsMissing)
{
    const support::RunFolder disk;
    // Of this process and the QEMU that it starts.
    kmd::test::private_mounts();
    kmd::test::mount_tmpfs(disk.path().string(), "size=1400k");
    boot::Guest guest({.command_line = "", .properties = "output=" + disk.path().string()});
    ASSERT_EQ(guest.wait_for_the_end(), 0);
    const auto dump = disk.path() / "kmemdump-0001-panic.elf.incomplete";
    ASSERT_TRUE(fs::exists(dump)) << guest.messages();
    EXPECT_NE(guest.messages().find("No space left on device"), std::string::npos) << guest.messages();

    const auto core = ElfCore::read(dump);
    EXPECT_EQ(core.flags, 1u);
    std::uint64_t whole = 0;
    for (const auto& segment : core.segments) {
        whole = std::max(whole, segment.offset + segment.file_size);
    }
    EXPECT_LT(fs::file_size(dump), whole) << "the disk is too large for this test";

    std::ifstream in(dump.string() + ".json");
    const auto sidecar = nlohmann::json::parse(in);
    EXPECT_EQ(sidecar["result"], "incomplete");
    EXPECT_EQ(sidecar["bytes"], fs::file_size(dump));
    EXPECT_FALSE(sidecar["missing"].empty());
    EXPECT_FALSE(sidecar["left_out"].empty());
    for (const auto& region : sidecar["left_out"]) {
        EXPECT_FALSE(region["name"].get<std::string>().starts_with("prb")) << region;
    }

    const auto log = support::run({support::required("KMD_KMDUMP"), "log", dump.string()});
    EXPECT_NE(log.output.find("Kernel panic - not syncing"), std::string::npos) << log.output;
    const std::string gdb = gdb_registers(dump);
    EXPECT_NE(gdb.find("LWP 2"), std::string::npos) << gdb;
    EXPECT_NE(gdb.find("pc      "), std::string::npos) << gdb;
}

TEST(SmallDisk, HoldsTheDumpOfAGuestWhoseLargeLogBufferIsMostlyZeros)
{
    const support::RunFolder disk;
    kmd::test::private_mounts();
    kmd::test::mount_tmpfs(disk.path().string(), "size=8m");
    boot::Guest guest(
        {.command_line = "log_buf_len=64M", .properties = "output=" + disk.path().string(), .ram = "1G"});
    ASSERT_EQ(guest.wait_for_the_end(), 0);
    const auto dump = disk.path() / "kmemdump-0001-panic.elf";
    ASSERT_TRUE(fs::exists(dump)) << guest.messages();
    EXPECT_GT(fs::file_size(dump), 200'000'000u) << "it describes the whole of the log";
    const auto verify = support::run({support::required("KMD_KMDUMP"), "verify", dump.string()});
    EXPECT_EQ(verify.status, 0) << verify.output;
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", dump.string()});
    EXPECT_NE(log.output.find("Kernel panic - not syncing"), std::string::npos) << log.output;
}

} // namespace
