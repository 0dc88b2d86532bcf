// SPDX-License-Identifier: GPL-2.0-or-later
//
// The controller as people and programs at the host see it.
#include "environment.h"
#include "payload_machine.h"
#include "window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

using namespace device;
using nlohmann::json;
using support::PayloadMachine;
using support::PayloadMode;
using support::QtestMachine;

namespace
{

constexpr const char* kPath = "/machine/peripheral/md";

json get(support::Qmp& qmp, const std::string& property, const std::string& path = kPath)
{
    return qmp.execute("qom-get", {{"path", path}, {"property", property}});
}

TEST(Outside, SeesTheControllerInProperties)
{
    QtestMachine machine("id=md");
    EXPECT_EQ(get(machine.qmp(), "state"), "unused");
    EXPECT_EQ(get(machine.qmp(), "regions"), "[]");
    EXPECT_EQ(get(machine.qmp(), "dumps"), 0);
    ASSERT_EQ(commit(machine, 2, {kRam + 0x1000, 0xffff800080001000, 0x234, 77, 0, "my region"}), 1u);
    EXPECT_EQ(get(machine.qmp(), "state"), "ready");
    const auto regions = json::parse(get(machine.qmp(), "regions").get<std::string>());
    ASSERT_EQ(regions.size(), 1u);
    EXPECT_EQ(regions[0]["slot"], 2);
    EXPECT_EQ(regions[0]["id"], 77);
    EXPECT_EQ(regions[0]["name"], "my region");
    EXPECT_EQ(regions[0]["phys"], "0x40001000");
    EXPECT_EQ(regions[0]["size"], 0x234);

    ASSERT_EQ(ring(machine), 1u);
    ASSERT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(get(machine.qmp(), "dumps"), 1);
    EXPECT_EQ(get(machine.qmp(), "last-file"), machine.dumps()[0].string());
    EXPECT_EQ(get(machine.qmp(), "last-error"), "");
    EXPECT_EQ(get(machine.qmp(), "last-bytes"), std::filesystem::file_size(machine.dumps()[0]));
    EXPECT_EQ(get(machine.qmp(), "last-nanoseconds"), machine.read64(kLastNanoseconds));
}

/// The rows of the tables of docs/device.md that are about properties: name and default.
std::map<std::string, std::string> properties_of_the_page()
{
    std::map<std::string, std::string> rows;
    std::ifstream page(support::required("KMD_DOCS") + "/device.md");
    const std::regex row(R"(^\| `([a-z-]+)(=N)?` \| `?([^|` ]*))");
    std::smatch match;
    for (std::string line; std::getline(page, line);) {
        if (std::regex_search(line, match, row)) {
            rows[match[1]] = match[2].matched ? "0" : match[3].str();
        }
    }
    rows.erase("id"); // QEMU's own
    return rows;
}

std::string default_of(const json& property)
{
    const json& value = property["default-value"];
    return value.is_boolean() ? (value.get<bool>() ? "on" : "off") : value.dump();
}

TEST(Outside, FindsEveryPropertyAndItsDefaultOnThePageOfTheDevice)
{
    QtestMachine machine("id=md");
    auto page = properties_of_the_page();
    ASSERT_GE(page.size(), 20u);
    // What can be looked at while the machine runs is on the page about watching.
    const std::set<std::string> to_look_at = {
        "state", "regions", "dumps", "last-file", "last-bytes", "last-error", "last-nanoseconds", "dump"};
    for (const json& property :
         machine.qmp().execute("device-list-properties", {{"typename", "kmemdump-md"}})) {
        const std::string name = property["name"];
        if (to_look_at.contains(name)) {
            continue;
        }
        const auto row = page.find(name);
        ASSERT_NE(row, page.end()) << name;
        if (property.contains("default-value")) {
            EXPECT_EQ(row->second == "0x0b000000" ? "184549376" : row->second, default_of(property)) << name;
        }
        page.erase(row);
    }
    EXPECT_TRUE(page.empty()) << page.begin()->first << " is no property of the device";
}

TEST(Outside, SeesWhyThereIsNoDump)
{
    QtestMachine machine("id=md,max-dumps=1");
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    ASSERT_EQ(ring(machine, kRequest), 1u);
    ASSERT_EQ(ring(machine, kRequest), 6u);
    EXPECT_EQ(get(machine.qmp(), "state"), "limit");
    EXPECT_EQ(get(machine.qmp(), "last-file"), "");
    EXPECT_EQ(get(machine.qmp(), "last-error"), "max-dumps=1 is reached; further requests are ignored");
}

TEST(Outside, CanWaitForTheEventOfADump)
{
    QtestMachine machine("event=on");
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    const auto event = machine.qmp().wait_event("DUMP_COMPLETED", std::chrono::seconds(20));
    EXPECT_EQ(event["data"]["result"]["status"], "completed");
    EXPECT_EQ(event["data"]["result"]["completed"], machine.read64(kLastBytes));
    EXPECT_FALSE(event["data"].contains("error"));
}

// libvirtd 9.0.0 does not survive one that it did not ask for.
TEST(Outside, GetsNoEventThatItDidNotAskFor)
{
    QtestMachine machine;
    ASSERT_EQ(ring(machine), 5u);
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    ASSERT_EQ(ring(machine), 1u);
    machine.reset();
    EXPECT_THROW(machine.qmp().wait_event("DUMP_COMPLETED", std::chrono::milliseconds(300)),
                 std::runtime_error);
}

TEST(Outside, HearsWhyThereIsNoDumpInTheEvent)
{
    QtestMachine machine("event=on");
    ASSERT_EQ(ring(machine), 5u);
    const auto event = machine.qmp().wait_event("DUMP_COMPLETED", std::chrono::seconds(20));
    EXPECT_EQ(event["data"]["result"]["status"], "failed");
    EXPECT_EQ(event["data"]["error"], "the guest has registered no region");
}

TEST(Outside, CanSwitchATraceOnAndOff)
{
    QtestMachine machine("id=md");
    const auto trace = [&](bool on) {
        machine.qmp().execute("qom-set", {{"path", kPath}, {"property", "trace"}, {"value", on}});
    };
    machine.read32(kWindow);
    EXPECT_EQ(machine.messages().find("kmemdump-md@b000000: read"), std::string::npos);
    trace(true);
    machine.read32(kWindow);
    EXPECT_NE(machine.messages().find("kmemdump-md@b000000: read 0x0 MAGIC size 4 value 0x444d4d4b\n"),
              std::string::npos)
        << machine.messages();
    trace(false);
    machine.read32(kWindow + 4);
    EXPECT_EQ(machine.messages().find("read 0x4"), std::string::npos);
}

TEST(Outside, CanTraceFromTheFirstAccessOn)
{
    PayloadMachine machine(PayloadMode::kPowerOff, "trace=on");
    EXPECT_EQ(machine.wait_for_the_end(), 0);
    EXPECT_NE(machine.messages().find("kmemdump-md@b000000: read 0x0 MAGIC size 4 value 0x444d4d4b\n"),
              std::string::npos);
    EXPECT_NE(machine.messages().find("dump shutdown of 3 regions\n"), std::string::npos);
}

TEST(Outside, SeesGuestErrorsOnlyWhenAskedFor)
{
    QtestMachine machine;
    machine.write32(kRegionCount, 1);
    EXPECT_NE(machine.messages().find(
                  "kmemdump-md: 4-byte write at offset 0x2c, REGION_COUNT, is not a writable register"),
              std::string::npos)
        << machine.messages();
    PayloadMachine quiet(PayloadMode::kHang);
    EXPECT_EQ(quiet.messages(), "");
}

TEST(Outside, CannotUnplugTheController)
{
    QtestMachine machine("id=md");
    try {
        machine.qmp().execute("device_del", {{"id", "md"}});
        FAIL() << "it was unplugged";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "device_del: Device 'kmemdump-md' does not support hotplugging");
    }
}

TEST(Outside, GetsTheDumpOfADaemonInTheFolderItNamed)
{
    const support::RunFolder folder;
    std::filesystem::create_directory(folder.file("dumps"));
    std::string command = "cd '" + folder.path().string() + "' && exec";
    auto arguments = support::qemu_command();
    arguments.insert(arguments.end(),
                     {"-daemonize", "-pidfile", folder.file("pid"), "-serial", "null", "-monitor", "none",
                      "-device", "kmemdump-md,output=dumps", "-kernel", support::required("KMD_PAYLOAD"),
                      "-device", "loader,addr=0x48000000,data=4,data-len=4"});
    for (const auto& argument : arguments) {
        command += " '" + argument + "'";
    }
    const auto started = support::run({"sh", "-c", command + " >log 2>&1"});
    ASSERT_EQ(started.status, 0) << folder.read("log");
    // While it is written it has another name, for a moment beside the final one.
    const auto is_being_written = [](const auto& dump) { return dump.extension() == ".incomplete"; };
    std::vector<std::filesystem::path> dumps;
    for (int i = 0; i < 2000 && (dumps.empty() || std::ranges::any_of(dumps, is_being_written)); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        dumps = support::dumps_in(folder.file("dumps"));
    }
    ASSERT_EQ(dumps.size(), 1u);
    EXPECT_FALSE(is_being_written(dumps[0]));
    EXPECT_GT(support::ElfCore::read(dumps[0]).segments.size(), 1u);
}

TEST(TwoControllers, KeepTheirOwnTablesAndDumps)
{
    const support::RunFolder second;
    constexpr std::uint64_t kSecond = 0x0b100000;
    QtestMachine machine(
        "id=md", {"-device", "kmemdump-md,id=second,addr=0x0b100000,output=" + second.path().string()});
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    EXPECT_EQ(machine.read32(kSecond + 0x2c), 0u);
    for (const std::uint64_t slot : {0, 1}) {
        machine.write64(kSecond + 0x1000 + slot * 64, kRam + 0x5000 + slot * 0x10000);
        machine.write64(kSecond + 0x1010 + slot * 64, 0x1000);
        machine.write32(kSecond + 0x1038 + slot * 64, 1);
    }
    ASSERT_EQ(machine.read32(kSecond + 0x2c), 2u);
    ASSERT_EQ(ring(machine), 1u);
    EXPECT_EQ(support::dumps_in(second.path()).size(), 0u);
    machine.write32(kSecond + 0x20, 1);
    while ((machine.read32(kSecond + 0x24) & 2) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(support::dumps_in(second.path()).size(), 1u);
    EXPECT_EQ(support::ElfCore::read(support::dumps_in(second.path())[0]).segments[0].phys, kRam + 0x5000);
    EXPECT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(get(machine.qmp(), "dumps", "/machine/peripheral/second"), 1);
}

TEST(TwoControllers, SayWhichOfThemAMessageIsAbout)
{
    QtestMachine machine("id=md", {"-device", "kmemdump-md,addr=0x0b100000,output=/tmp"});
    ASSERT_EQ(ring(machine), 5u);
    machine.write32(0x0b100020, 1);
    while ((machine.read32(0x0b100024) & 2) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::string cause = ": no dump (panic): the guest has registered no region";
    EXPECT_NE(machine.messages().find("kmemdump-md 'md'" + cause), std::string::npos) << machine.messages();
    EXPECT_NE(machine.messages().find("kmemdump-md@b100000" + cause), std::string::npos)
        << machine.messages();
}

TEST(TwoControllers, BothDumpOnAReset)
{
    const support::RunFolder second;
    QtestMachine machine("", {"-device", "kmemdump-md,addr=0x0b100000,output=" + second.path().string()});
    ASSERT_EQ(commit(machine, 0, {kRam, 0xffff800080000000, 8, 1}), 1u);
    machine.write64(0x0b101000, kRam);
    machine.write64(0x0b101010, 0x1000);
    machine.write32(0x0b101038, 1);
    machine.reset();
    EXPECT_EQ(machine.dumps().size(), 1u);
    EXPECT_EQ(support::dumps_in(second.path()).size(), 1u);
}

} // namespace
