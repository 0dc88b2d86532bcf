// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the JSON file beside a dump: it says what happened, stays JSON whatever the guest calls its
// regions, and never costs the dump.
#include "test_machine.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <ctime>
#include <regex>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::names_in;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TestMachine;
using Json = nlohmann::json;

Config with_sidecar()
{
    auto config = small_config();
    config.sidecar = true;
    config.plugin_version = "1.2.3";
    config.qemu_version = "7.2.22";
    return config;
}

std::string text_of(const std::string& path)
{
    const auto bytes = bytes_of(path);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Json sidecar(TestMachine& m, const std::string& dump = "kmemdump-0001-panic.elf")
{
    return Json::parse(text_of(m.folder / (dump + ".json")));
}

TEST(Sidecar, SaysWhatTheDumpIs)
{
    TestMachine m(with_sidecar());
    m.add(0, ram_region(0, 0x1000, 1));
    m.add(2, ram_region(0x2000, 0x10, 5));
    m.dump();
    const Json json = sidecar(m);
    EXPECT_EQ(json["kmemdump-md"], 2);
    EXPECT_EQ(json["plugin_version"], "1.2.3");
    EXPECT_EQ(json["qemu_version"], "7.2.22");
    EXPECT_EQ(json["result"], "complete");
    EXPECT_EQ(json["reason"], "panic");
    EXPECT_EQ(json["dump"], m.folder / "kmemdump-0001-panic.elf");
    EXPECT_EQ(json["wanted_format"], "enriched");
    EXPECT_EQ(json["format"], "enriched");
    EXPECT_EQ(json["compress"], "none");
    EXPECT_EQ(json["bytes"], bytes_of(m.folder / "kmemdump-0001-panic.elf").size());
    EXPECT_EQ(json["regions_saved"], 2);
    EXPECT_EQ(json["regions_rejected"], 0);
    EXPECT_EQ(json["left_out"], Json::array());
    EXPECT_EQ(json["remarks"], Json::array());
    EXPECT_FALSE(json.contains("incomplete_because"));
    EXPECT_FALSE(json.contains("fault_injection"));
    EXPECT_TRUE(
        std::regex_match(json["time"].get<std::string>(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
    for (const char* step : {"stop", "compose", "write", "sync"}) {
        EXPECT_GT(json["nanoseconds"][step], 0u) << step;
        EXPECT_LE(json["nanoseconds"][step], m.read64(0x058)) << "LAST_NANOSECONDS covers " << step;
    }
}

TEST(Sidecar, ListsEveryRegionWithItsStatus)
{
    TestMachine m(with_sidecar());
    m.host.guest.add_ram(0x80000000, 0x1000);
    m.add(0, ram_region(0, 0x1000, 1));
    m.add(3, {0x80000000, kVirt, 8, "gone", 0xffffffff, 0});
    m.add(5, {kRam + 0x800, 0xffffffffffff0000, 0x20, "inner", 7, 2});
    m.host.guest.unplug(0x80000000);
    m.dump();
    const Json json = sidecar(m);
    ASSERT_EQ(json["regions"].size(), 3u);
    EXPECT_EQ(json["regions"][0]["status"], "it is valid");
    EXPECT_EQ(json["regions"][0]["accepted"], true);
    const Json& gone = json["regions"][1];
    EXPECT_EQ(gone["slot"], 3);
    EXPECT_EQ(gone["id"], 0xffffffffu);
    EXPECT_EQ(gone["name"], "gone");
    EXPECT_EQ(gone["kind"], "memory");
    EXPECT_EQ(gone["phys"], "0x80000000");
    EXPECT_EQ(gone["size"], 8);
    EXPECT_EQ(gone["status"], "not all of it is RAM");
    EXPECT_EQ(gone["accepted"], false);
    EXPECT_EQ(json["regions"][2]["virt"], "0xffffffffffff0000");
    EXPECT_EQ(json["regions"][2]["kind"], "vmcoreinfo");
    EXPECT_EQ(json["result"], "partial");
    EXPECT_EQ(json["regions_rejected"], 1);
    EXPECT_EQ(json["left_out"], Json::parse(R"([{"slot":3,"name":"gone","reason":"not all of it is RAM"}])"));
}

TEST(Sidecar, StaysAsciiJsonWhateverTheGuestWrites)
{
    TestMachine m(with_sidecar());
    m.add(0, {kRam, kVirt, 8, "\"},{\"\n\t\\\xff\x80\xc3[", 1, 0});
    m.dump();
    const std::string text = text_of(m.folder / "kmemdump-0001-panic.elf.json");
    for (const char c : text) {
        EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << int(c);
    }
    EXPECT_EQ(Json::parse(text)["regions"][0]["name"], "\"},{\"??\\???[");
}

TEST(Sidecar, OfAnIncompleteDumpSaysWhy)
{
    auto config = with_sidecar();
    config.faults.write_cut = 5000;
    TestMachine m(config);
    m.add(0, ram_region(0, 0x4000, 1));
    m.dump();
    const Json json = sidecar(m, "kmemdump-0001-panic.elf.incomplete");
    EXPECT_EQ(json["result"], "incomplete");
    EXPECT_EQ(json["incomplete_because"], "No space left on device (injected)");
    EXPECT_EQ(json["bytes"], 4999);
    EXPECT_EQ(json["image_bytes"], m.read64(0x050) + 0x4000 + 4096 - 4999);
    EXPECT_EQ(json["fault_injection"]["write_cut"], 5000);
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0001-panic.elf.incomplete",
                                        "kmemdump-0001-panic.elf.incomplete.json"}));
}

TEST(Sidecar, SaysThatTheGuestsHeaderWasOfNoUse)
{
    auto config = with_sidecar();
    config.format = "coreimage";
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    m.add(1, {kRam + 0x2000, kVirt, 0x400, "ELF", 2, 1});
    m.dump();
    const Json json = sidecar(m);
    EXPECT_EQ(json["wanted_format"], "coreimage");
    EXPECT_EQ(json["format"], "enriched");
    ASSERT_EQ(json["remarks"].size(), 1u);
    EXPECT_NE(json["remarks"][0].get<std::string>().find("the guest's ELF header cannot be used"),
              std::string::npos);
    EXPECT_EQ(json["left_out"], Json::array()) << "a dump with all that belongs in it lacks nothing";
}

TEST(Sidecar, ShowsTheStateOfTheLimits)
{
    auto config = with_sidecar();
    config.max_dumps = 5;
    config.max_bytes = 1000000;
    TestMachine m(config);
    m.add(0, ram_region(0, 0x1000, 1));
    m.dump(2);
    m.dump();
    const std::uint64_t first = bytes_of(m.folder / "kmemdump-0001-request.elf").size() +
                                bytes_of(m.folder / "kmemdump-0001-request.elf.json").size();
    EXPECT_EQ(sidecar(m, "kmemdump-0002-panic.elf")["limits"],
              (Json{{"dumps_before", 1}, {"max_dumps", 5}, {"bytes_before", first}, {"max_bytes", 1000000}}));
}

TEST(Sidecar, ThatCannotBeMadeNeverCostsTheDump)
{
    auto config = with_sidecar();
    config.max_bytes = 0x1000 + 4096 + 100; // room for the dump, not for what it says about it
    TestMachine small(config);
    small.add(0, ram_region(0, 0x1000, 1));
    small.dump();
    EXPECT_EQ(small.last_result(), 1u);
    EXPECT_EQ(names_in(small.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    ASSERT_EQ(small.host.warnings.size(), 1u);
    EXPECT_EQ(small.host.warnings[0], "there is no kmemdump-0001-panic.elf.json: max-bytes is reached");
}

TEST(Sidecar, IsLeftOutWhenNotWanted)
{
    TestMachine m(small_config());
    m.add(0, ram_region(0, 0x1000, 1));
    m.dump();
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
}

} // namespace
