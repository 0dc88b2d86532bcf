// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the properties that say where dumps go: which fit together, what a wrong one says, and the
// limit on the bytes that a guest can cause.
#include "test_machine.h"

#include <gtest/gtest.h>

namespace
{

using kmd::Config;
using kmd::Controller;
using kmd::test::bytes_of;
using kmd::test::FakeHost;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;

std::string creation_error(const Config& config)
{
    FakeHost host;
    const auto created = Controller::create(config, host);
    return created ? "" : created.error().what;
}

TEST(Output, CombinationsThatMakeNoSenseAreRefused)
{
    const TempDir folder;
    const auto error = [&](auto change) {
        auto config = small_config();
        change(config);
        return creation_error(config);
    };
    EXPECT_EQ(error([&](Config& c) { c.file = folder / "f", c.output = folder.path(); }),
              "file= and output= exclude each other: a dump goes to one file, or elsewhere");
    EXPECT_EQ(error([&](Config& c) { c.file = folder / "f", c.chardev = "x"; }),
              "file= and chardev= exclude each other: a dump goes to one file, or elsewhere");
    EXPECT_EQ(error([&](Config& c) { c.chardev = "x", c.output = folder.path(); }), "");
    EXPECT_NE(error([&](Config& c) { c.file = folder / "f", c.keep = 1; }).find("keep="), std::string::npos);
    EXPECT_NE(error([&](Config& c) { c.chardev = "x", c.keep = 1; }).find("needs output="),
              std::string::npos);
    EXPECT_NE(
        error([&](Config& c) { c.format = "qcom", c.file = folder / "f"; }).find("needs output=, not file="),
        std::string::npos);
    EXPECT_NE(error([&](Config& c) { c.format = "qcom", c.chardev = "x"; }).find("not chardev="),
              std::string::npos);
    EXPECT_NE(
        error([&](Config& c) { c.format = "qcom", c.compress = "zstd"; }).find("compress= has to be none"),
        std::string::npos);
    EXPECT_EQ(error([&](Config& c) { c.compress = "gzip"; }),
              "compress=gzip is unknown: expected none or zstd");
    EXPECT_NE(error([&](Config& c) { c.name = "x"; }).find("needs a %n"), std::string::npos);
    EXPECT_NE(error([&](Config& c) { c.chardev = "x", c.chardev_timeout_ms = 0; }).find("chardev-timeout=0"),
              std::string::npos);
    EXPECT_NE(error([&](Config& c) { c.chardev = "x", c.chardev_timeout_ms = 600001; }).find("1 to 600000"),
              std::string::npos);
    EXPECT_TRUE(names_in(folder.path()).empty()) << "nothing is left behind";
}

TEST(Output, DumpsAreCalledAsThePatternSays)
{
    auto config = small_config();
    config.name = "vm7_%r_%n";
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    m.dump(2);
    m.dump();
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"vm7_panic_0002.elf", "vm7_request_0001.elf"}));
}

TEST(Output, CompressedDumpsHaveASuffixAndTheSameBytes)
{
    auto config = small_config();
    config.compress = "zstd";
    TestMachine m(config);
    m.host.guest.fill_pattern(kmd::test::kRam, 0x4000);
    m.add(0, ram_region(0, 0x4000, 1));
    m.dump();
    TestMachine plain;
    plain.host.guest.fill_pattern(kmd::test::kRam, 0x4000);
    plain.add(0, ram_region(0, 0x4000, 1));
    plain.dump();
    const std::string file = m.folder / "kmemdump-0001-panic.elf.zst";
    EXPECT_EQ(m.read64(0x050), bytes_of(file).size()) << "LAST_BYTES are those of the file";
    ASSERT_EQ(std::system(("zstd -q -d " + file).c_str()), 0);
    EXPECT_TRUE(bytes_of(m.folder / "kmemdump-0001-panic.elf") ==
                bytes_of(plain.folder / "kmemdump-0001-panic.elf"));
}

TEST(Output, OneFileIsTheLastDump)
{
    const TempDir folder;
    auto config = small_config();
    config.file = folder / "last.elf";
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    m.dump(2);
    const auto first = bytes_of(folder / "last.elf");
    m.host.guest.fill(kmd::test::kRam, 0x1000, 0x77);
    m.dump();
    EXPECT_FALSE(bytes_of(folder / "last.elf") == first);
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"last.elf"});
    EXPECT_EQ(m.controller->last_file(), folder / "last.elf");
}

/// One dump of a region of 4 KiB: a page for the head, a page for the region.
constexpr std::uint64_t kDump = 8192;

Config limited(std::uint64_t max_bytes)
{
    auto config = small_config();
    config.max_bytes = max_bytes;
    config.max_dumps = 0;
    return config;
}

TEST(MaxBytes, StopsTheGuestAtTheLimitWithOneWarning)
{
    TestMachine m(limited(3 * kDump - 1));
    m.add(0, ram_region(0, 0x1000, 1));
    for (const std::uint32_t expected : {1u, 1u, 3u, 6u, 6u}) {
        m.dump(2);
        EXPECT_EQ(m.last_result(), expected);
    }
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0001-request.elf", "kmemdump-0002-request.elf",
                                        "kmemdump-0003-request.elf.incomplete"}));
    ASSERT_EQ(m.host.warnings.size(), 2u);
    EXPECT_TRUE(m.host.warnings[0].ends_with(": max-bytes is reached")) << m.host.warnings[0];
    EXPECT_NE(m.host.warnings[1].find(
                  "max-bytes=24575 leaves no room for the first 4096 of 8192 bytes; 24575 are stored"),
              std::string::npos)
        << m.host.warnings[1];
    EXPECT_EQ(m.read32(0x024) & 1u, 0u) << "not ready";
}

TEST(MaxBytes, IsReachedExactly)
{
    TestMachine m(limited(2 * kDump));
    m.add(0, ram_region(0, 0x1000, 1));
    for (const std::uint32_t expected : {1u, 1u, 6u}) {
        m.dump(2);
        EXPECT_EQ(m.last_result(), expected);
    }
}

TEST(MaxBytes, SmallerDumpMayStillFit)
{
    TestMachine m(limited(kDump));
    auto log = ram_region(0, 0x2000, 1);
    log.name = "log";
    log.flags = 0x100;
    m.add(0, log);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 6u) << "not even its log fits";
    m.invalidate(0);
    m.add(0, ram_region(0, 0x1000, 1));
    m.dump(2);
    EXPECT_EQ(m.last_result(), 1u);
}

TEST(MaxBytes, HostGetsItsDumpsInAnyCase)
{
    TestMachine m(limited(1));
    m.add(0, ram_region(0, 0x1000, 1));
    EXPECT_EQ(m.controller->request_dump("host"), std::nullopt);
    EXPECT_EQ(m.controller->request_dump("host"), std::nullopt);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 6u);
}

TEST(MaxBytes, CountsIncompleteDumps)
{
    auto config = limited(kDump + 4096);
    config.faults.write_cut = 4097;
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    for (const std::uint32_t expected : {3u, 3u, 3u, 6u}) {
        m.dump(2);
        EXPECT_EQ(m.last_result(), expected);
    }
}

std::uint64_t bytes_in(const std::string& folder)
{
    std::uint64_t total = 0;
    for (const std::string& name : names_in(folder)) {
        total += bytes_of(folder + "/" + name).size();
    }
    return total;
}

TEST(MaxBytes, HoldsWithSidecarsToo)
{
    auto config = small_config();
    config.sidecar = true;
    config.max_dumps = 0;
    TestMachine one(config);
    one.add(0, ram_region(0, 0x1000, 1));
    one.dump(2);
    // Ten dumps, and half of one.
    const std::uint64_t limit = 10 * bytes_in(one.folder.path()) + kDump - 500;
    config.max_bytes = limit;
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    for (int i = 0; i < 50; ++i) {
        m.dump(2);
    }
    EXPECT_LE(bytes_in(m.folder.path()), limit);
    EXPECT_GT(bytes_in(m.folder.path()), limit - kDump);
    EXPECT_TRUE(std::filesystem::exists(m.folder / "kmemdump-0011-request.elf.incomplete.json"))
        << "what was cut is described";
}

} // namespace
