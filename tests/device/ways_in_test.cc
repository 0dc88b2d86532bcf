// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the device gets into QEMU: -plugin, LD_PRELOAD, and what is said when it cannot.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

using support::Finished;
using support::required;
using support::RunFolder;

namespace
{

namespace fs = std::filesystem;
using std::chrono::seconds;

std::string release()
{
    const auto output = support::run({support::qemu_program(), "--version"}).output;
    std::smatch match;
    if (!std::regex_search(output, match, std::regex(R"(version (\d+\.\d+\.\d+))"))) {
        throw std::runtime_error("no version: " + output);
    }
    return match[1];
}

std::string part_name(const std::string& of_release)
{
    return "kmemdump-md-" + of_release + ".so";
}

fs::path built_folder()
{
    return fs::path(required("KMD_PLUGIN")).parent_path();
}

/// A folder with the front and none of the parts.
class FrontAlone : public testing::Test
{
  protected:
    void SetUp() override { fs::copy_file(required("KMD_PLUGIN"), plugin()); }

    std::string plugin() const { return folder_.file("kmemdump-md.so"); }

    void add_part(const fs::path& file, const std::string& as_release) const
    {
        fs::copy_file(file, folder_.file(part_name(as_release)));
    }

    Finished start(const std::vector<std::string>& more) const
    {
        auto command = support::plain_qemu_command();
        command.insert(command.end(), {"-S", "-serial", "null", "-monitor", "null"});
        command.insert(command.end(), more.begin(), more.end());
        return support::run(command, seconds(20));
    }

    Finished start_with_plugin() const { return start({"-plugin", plugin(), "-device", "kmemdump-md"}); }

    Finished start_with_preload() const
    {
        auto command = support::plain_qemu_command();
        command.insert(command.begin(), {"env", "LD_PRELOAD=" + plugin()});
        command.insert(command.end(), {"-S", "-monitor", "null", "-device", "kmemdump-md"});
        return support::run(command, seconds(20));
    }

    void expect_refused_both_ways(const std::string& sentence) const
    {
        for (const Finished& qemu : {start_with_plugin(), start_with_preload()}) {
            EXPECT_EQ(qemu.status, 1) << qemu.output;
            EXPECT_NE(qemu.output.find("qemu-system-aarch64: kmemdump-md: " + sentence), std::string::npos)
                << qemu.output;
            EXPECT_EQ(qemu.output.find("symbol"), std::string::npos) << qemu.output;
        }
    }

    RunFolder folder_;
};

TEST_F(FrontAlone, SaysWhichQemuThisIsAndHowToBuildItsPart)
{
    const std::string end =
        ": build one for it with scripts/build where it is installed, or with scripts/build "
        "--qemu-source TREE";
    const std::string begin =
        "this is QEMU " + release() + ", and " + folder_.path().string() + " has parts for ";
    expect_refused_both_ways(begin + "no QEMU" + end);
    add_part(required("KMD_PART_FOR_ANOTHER_QEMU"), "6.9.9");
    expect_refused_both_ways(begin + "6.9.9" + end);
}

TEST_F(FrontAlone, RefusesAPartForAnotherQemuUnderTheNameOfThisOne)
{
    add_part(required("KMD_PART_FOR_ANOTHER_QEMU"), release());
    expect_refused_both_ways(folder_.file(part_name(release())) +
                             " was built for QEMU 6.9.9, but this is QEMU " + release() + ": build it again");
}

TEST_F(FrontAlone, RefusesAPartOfAnotherBuild)
{
    add_part(required("KMD_STALE_PART"), release());
    expect_refused_both_ways(folder_.file(part_name(release())) +
                             " is of another version of kmemdump-md than kmemdump-md.so, which is 0.");
}

TEST_F(FrontAlone, RefusesADamagedPart)
{
    std::ofstream(folder_.file(part_name(release()))) << "x";
    expect_refused_both_ways("the part for QEMU " + release() + " cannot be loaded (");
}

TEST_F(FrontAlone, IsFoundThroughASymbolicLink)
{
    add_part(built_folder() / part_name(release()), release());
    const std::string link = folder_.file("link.so");
    fs::create_symlink(plugin(), link);
    const auto qemu = start({"-plugin", link, "-device", "kmemdump-md,output=/does/not/exist"});
    EXPECT_NE(qemu.output.find("output folder '/does/not/exist'"), std::string::npos) << qemu.output;
}

TEST(Plugin, RefusesAnArgument)
{
    auto command = support::plain_qemu_command();
    command.insert(command.end(),
                   {"-plugin", required("KMD_PLUGIN") + ",output=here", "-device", "kmemdump-md"});
    const auto qemu = support::run(command, seconds(20));
    EXPECT_EQ(qemu.status, 1);
    EXPECT_NE(
        qemu.output.find("-plugin takes no argument ('output=here'); properties go to -device kmemdump-md"),
        std::string::npos)
        << qemu.output;
}

TEST(Plugin, RefusesUserEmulation)
{
    const auto qemu =
        support::run({"qemu-aarch64", "-plugin", required("KMD_PLUGIN"), "/bin/true"}, seconds(20));
    EXPECT_NE(qemu.status, 0);
    EXPECT_NE(qemu.output.find("needs a machine, not user emulation"), std::string::npos) << qemu.output;
}

std::vector<std::string> payload_under_preload(const RunFolder& folder, std::vector<std::string> before = {})
{
    auto command = support::plain_qemu_command();
    before.insert(before.end(), {"env", "LD_PRELOAD=" + required("KMD_PLUGIN")});
    command.insert(command.begin(), before.begin(), before.end());
    command.insert(command.end(),
                   {"-serial", "stdio", "-monitor", "none", "-device",
                    "kmemdump-md,output=" + folder.path().string(), "-kernel", required("KMD_PAYLOAD")});
    return command;
}

TEST(Preload, BringsTheDeviceWithoutAPlugin)
{
    const RunFolder folder;
    const auto qemu = support::run(payload_under_preload(folder), seconds(20));
    EXPECT_EQ(qemu.status, 0) << qemu.output;
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u) << qemu.output;
}

TEST(Preload, DoesNotDisturbThePluginOfTheSameName)
{
    const RunFolder folder;
    auto command = payload_under_preload(folder);
    command.insert(command.end(), {"-plugin", required("KMD_PLUGIN")});
    const auto qemu = support::run(command, seconds(20));
    EXPECT_EQ(qemu.status, 0) << qemu.output;
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u) << qemu.output;
}

TEST(Preload, ReachesQemuThroughProgramsThatStartIt)
{
    const RunFolder folder;
    const std::string variable = "LD_PRELOAD=" + required("KMD_PLUGIN");
    auto command = support::plain_qemu_command();
    const std::vector<std::string> wrappers = {"env", variable, "sh", "-c", "exec timeout 15 \"$@\"", "sh"};
    command.insert(command.begin(), wrappers.begin(), wrappers.end());
    command.insert(command.end(),
                   {"-serial", "null", "-monitor", "none", "-device",
                    "kmemdump-md,output=" + folder.path().string(), "-kernel", required("KMD_PAYLOAD")});
    const auto qemu = support::run(command, seconds(20));
    EXPECT_EQ(qemu.status, 0) << qemu.output;
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 1u) << qemu.output;
}

TEST(Preload, IsNotPassedOnToWhatQemuStarts)
{
    const RunFolder folder;
    auto command = payload_under_preload(folder);
    command[1] += ":/lib/x86_64-linux-gnu/libdl.so.2";
    // A program that QEMU starts: it prints its environment and ends QEMU.
    command.insert(command.end(),
                   {"-incoming", "exec:env >" + folder.file("environment") + "; kill -9 $PPID"});
    support::run(command, seconds(20));
    const std::string environment = folder.read("environment");
    EXPECT_NE(environment.find("\nLD_PRELOAD=/lib/x86_64-linux-gnu/libdl.so.2\n"), std::string::npos)
        << "the user's own entry alone: " << environment;
}

} // namespace
