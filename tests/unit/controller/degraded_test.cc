// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects what is left of a dump when not everything can be written: log and registers come first, the file
// says that it is not whole, and what stands beside it says what is missing.
#include "child_process.h"
#include "core_reader.h"
#include "test_machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <sstream>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::CoreReader;
using kmd::test::in_child;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::mount_tmpfs;
using kmd::test::names_in;
using kmd::test::private_mounts;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;
using Json = nlohmann::json;

constexpr std::uint64_t kHead = 0x1000;
constexpr std::uint64_t kLog = 0x2000;
constexpr std::uint64_t kRest = 0x18000;

Config with_sidecar()
{
    auto config = small_config();
    config.sidecar = true;
    return config;
}

/// Much memory at low addresses, and the log above it; nothing of it can be compressed.
void register_log_and_rest(TestMachine& m)
{
    std::mt19937 random(1);
    std::string noise(kmd::test::kRamSize, '\0');
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
    m.host.guest.put(kRam, noise);
    m.add(0, ram_region(0, kRest, 1));
    m.add(1, {kRam + 0x80000, kVirt + 0x80000, kLog, "log", 27, 0x100});
}

Json json_of(const std::string& path)
{
    const auto bytes = bytes_of(path);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return Json::parse(text, text + bytes.size());
}

TEST(Degraded, LogAndRegistersAreThereAndTheSidecarSaysWhatIsNot)
{
    auto config = with_sidecar();
    config.faults.write_cut = kHead + kLog + 0x1000 + 1;
    TestMachine m(config);
    register_log_and_rest(m);
    m.dump();
    EXPECT_EQ(m.last_result(), 3u);
    const CoreReader core(bytes_of(m.folder / "kmemdump-0001-panic.elf.incomplete"));
    EXPECT_EQ(core.header.e_flags, 1u);
    EXPECT_EQ(core.read_phys(kRam + 0x80000, kLog), m.host.guest.bytes(kRam + 0x80000, kLog));
    EXPECT_EQ(core.read_phys(kRam, 0x1000), m.host.guest.bytes(kRam, 0x1000));

    const Json json = json_of(m.folder / "kmemdump-0001-panic.elf.incomplete.json");
    EXPECT_EQ(json["result"], "incomplete");
    EXPECT_EQ(json["image_bytes_saved"], kHead + kLog + 0x1000);
    EXPECT_EQ(json["regions_saved"], 1);
    EXPECT_EQ(json["left_out"],
              Json::parse(R"([{"slot":0,"name":"region","reason":"not all of it was written"}])"));
    EXPECT_EQ(
        json["missing"],
        Json::array({{{"phys", "0x40001000"}, {"virt", "0xffff800000001000"}, {"size", kRest - 0x1000}}}));
}

TEST(Degraded, CompleteDumpLacksNothing)
{
    TestMachine m(with_sidecar());
    register_log_and_rest(m);
    m.dump();
    const Json json = json_of(m.folder / "kmemdump-0001-panic.elf.json");
    EXPECT_EQ(json["image_bytes_saved"], json["image_bytes"]);
    EXPECT_EQ(json["regions_saved"], 2);
    EXPECT_EQ(json["left_out"], Json::array());
    EXPECT_FALSE(json.contains("missing"));
}

TEST(Degraded, CompressedDumpHasTheLogAsSoonAsItCan)
{
    auto config = with_sidecar();
    config.compress = "zstd";
    // All of the vital part, and a little more.
    config.faults.write_cut = kHead + kLog + 400;
    TestMachine m(config);
    register_log_and_rest(m);
    m.dump();
    ASSERT_EQ(m.last_result(), 3u);
    const std::string file = m.folder / "kmemdump-0001-panic.elf.zst.incomplete";
    EXPECT_NE(std::system(("zstd -dc < " + file + " > " + (m.folder / "partial") + " 2>/dev/null").c_str()),
              0);
    const CoreReader core(bytes_of(m.folder / "partial"));
    EXPECT_EQ(core.read_phys(kRam + 0x80000, kLog), m.host.guest.bytes(kRam + 0x80000, kLog));
    const Json json = json_of(file + ".json");
    EXPECT_EQ(json["image_bytes_saved"], kHead + kLog) << "what surely comes back";
    EXPECT_EQ(json["regions_saved"], 1);
}

TEST(Degraded, MaxBytesCutsADumpBehindItsVitalPart)
{
    for (const char* compress : {"none", "zstd"}) {
        for (std::uint64_t limit = kHead + kLog + 200; limit < kHead + kLog + kRest; limit += 9000) {
            auto config = with_sidecar();
            config.compress = compress;
            config.max_bytes = limit;
            TestMachine m(config);
            register_log_and_rest(m);
            m.dump();
            ASSERT_EQ(m.last_result(), 3u) << compress << limit;
            std::uint64_t total = 0;
            bool described = false;
            for (const std::string& name : names_in(m.folder.path())) {
                total += bytes_of(m.folder / name).size();
                described = described || name.ends_with(".json");
                EXPECT_TRUE(name.find(".incomplete") != std::string::npos) << name;
                if (name.ends_with(".json")) {
                    const Json json = json_of(m.folder / name);
                    EXPECT_EQ(json["incomplete_because"], "max-bytes is reached");
                    EXPECT_FALSE(json["missing"].empty());
                    EXPECT_GE(json["image_bytes_saved"], kHead + kLog);
                }
            }
            EXPECT_LE(total, limit);
            EXPECT_TRUE(described || limit < kHead + kLog + 8000) << compress << limit;
        }
    }
}

TEST(Degraded, NotEvenTheVitalPartFitsMaxBytes)
{
    auto config = with_sidecar();
    config.max_bytes = kHead + kLog - 1;
    TestMachine m(config);
    register_log_and_rest(m);
    m.dump();
    EXPECT_EQ(m.last_result(), 6u);
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(Degraded, LackOfRoomIsNoReasonToTryTheFolder)
{
    auto config = with_sidecar();
    const TempDir folder;
    config.output = folder.path();
    config.chardev = "collector";
    config.max_bytes = kHead + kLog + 0x8000;
    TestMachine m(config);
    register_log_and_rest(m);
    m.dump();
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_TRUE(names_in(folder.path()).empty());
    EXPECT_NE(m.host.sent.find("\"incomplete_because\":\"max-bytes is reached\""), std::string::npos);
}

/// Takes a dump into a disk of so many pages and files; says what is there then and whether it is what it
/// has to be. Empty: all is well.
std::string check_disk(std::uint64_t pages, std::uint64_t inodes, const std::string& format,
                       const std::string& compress)
{
    const TempDir folder;
    return in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=" + std::to_string(pages) + "p,nr_inodes=" + std::to_string(inodes));
        auto config = with_sidecar();
        config.format = format;
        config.compress = compress;
        config.output = folder.path();
        TestMachine m(config);
        register_log_and_rest(m);
        m.dump();
        const auto result = m.last_result();
        std::ostringstream wrong;
        for (const std::string& name : names_in(folder.path())) {
            const bool incomplete = name.find(".incomplete") != std::string::npos;
            if (incomplete != (result == 3)) {
                wrong << name << " with result " << result << "\n";
            }
            if (name.ends_with(".json")) {
                const Json json = json_of(folder / name);
                if (json["result"] != (incomplete ? "incomplete" : "complete")) {
                    wrong << "the sidecar says " << json["result"] << "\n";
                }
                if (incomplete && format == "enriched" && compress == "none" &&
                    bytes_of(folder / "kmemdump-0001-panic.elf.incomplete").size() != json["bytes"]) {
                    wrong << "the sidecar says " << json["bytes"] << " bytes\n";
                }
            } else if (format == "enriched" && compress == "none") {
                const auto bytes = bytes_of(folder / name);
                if (bytes.size() < kHead) {
                    wrong << name << " has " << bytes.size() << " bytes\n";
                    continue;
                }
                const CoreReader core(bytes);
                if (core.header.e_flags != (incomplete ? 1u : 0u)) {
                    wrong << name << " has e_flags " << core.header.e_flags << "\n";
                }
                if (bytes.size() >= kHead + kLog &&
                    core.read_phys(kRam + 0x80000, kLog) != m.host.guest.bytes(kRam + 0x80000, kLog)) {
                    wrong << name << " lacks the log\n";
                }
            }
        }
        return wrong.str();
    });
}

TEST(FullDisk, AtAnyStageLeavesNothingThatLies)
{
    const std::uint64_t all = (kHead + kLog + kRest) / 0x1000 + 4;
    for (const auto& [format, compress] : std::vector<std::pair<std::string, std::string>>{
             {"enriched", "none"}, {"enriched", "zstd"}, {"qcom", "none"}}) {
        for (std::uint64_t pages = 1; pages <= all; ++pages) {
            EXPECT_EQ(check_disk(pages, 10, format, compress), "") << format << compress << " on " << pages;
        }
        for (std::uint64_t inodes = 2; inodes <= 6; ++inodes) {
            EXPECT_EQ(check_disk(all + 20, inodes, format, compress), "")
                << format << compress << " " << inodes;
        }
    }
}

TEST(FullDisk, HasRoomForTheSidecarThatSaysWhatIsMissing)
{
    const TempDir folder;
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=80k");
        auto config = with_sidecar();
        config.output = folder.path();
        TestMachine m(config);
        register_log_and_rest(m);
        m.dump();
        const Json json = json_of(folder / "kmemdump-0001-panic.elf.incomplete.json");
        std::ostringstream out;
        out << m.last_result() << " " << json["missing"].size() << " " << json["incomplete_because"];
        return out.str();
    });
    EXPECT_EQ(child, "3 1 \"No space left on device\"");
}

TEST(FullDisk, WithoutAFileLeftForTheSidecarCostsTheDumpNothing)
{
    const TempDir folder;
    const auto child = in_child([&]() -> std::string {
        private_mounts();
        // The folder itself, the dump, and no more.
        mount_tmpfs(folder.path(), "size=80k,nr_inodes=2");
        auto config = with_sidecar();
        config.output = folder.path();
        TestMachine m(config);
        register_log_and_rest(m);
        m.dump();
        return std::to_string(bytes_of(folder / "kmemdump-0001-panic.elf.incomplete").size());
    });
    EXPECT_EQ(child, "81920");
}

} // namespace
