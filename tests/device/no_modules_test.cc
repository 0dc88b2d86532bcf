// SPDX-License-Identifier: GPL-2.0-or-later
//
// A QEMU (KMD_QEMU) that has the controller built in, and that exports nothing to a plugin.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>

using std::chrono::seconds;

namespace
{

TEST(NoModules, PreloadIsRefusedInOneSentence)
{
    auto command = support::plain_qemu_command();
    command.insert(command.begin(), {"env", "LD_PRELOAD=" + support::required("KMD_PLUGIN")});
    const auto qemu = support::run(command, seconds(20));
    EXPECT_EQ(qemu.status, 1);
    EXPECT_EQ(
        qemu.output,
        "qemu-system-aarch64: kmemdump-md: this QEMU was built without modules and exports no functions "
        "that add a device: build the controller into it with scripts/integrate-qemu\n");
}

TEST(NoModules, PluginIsRefusedInOneSentence)
{
    auto command = support::plain_qemu_command();
    command.insert(command.end(), {"-S", "-monitor", "null", "-plugin", support::required("KMD_PLUGIN")});
    const auto qemu = support::run(command, seconds(20));
    EXPECT_EQ(qemu.status, 1);
    EXPECT_NE(qemu.output.find("kmemdump-md: this QEMU was built without modules"), std::string::npos)
        << qemu.output;
    EXPECT_EQ(qemu.output.find("undefined symbol"), std::string::npos) << qemu.output;
}

TEST(BuiltIn, IsListedByDeviceHelp)
{
    const auto qemu = support::run({support::qemu_program(), "-M", "none", "-device", "help"}, seconds(20));
    EXPECT_EQ(qemu.status, 0);
    EXPECT_NE(qemu.output.find("name \"kmemdump-md\", desc \"minidump controller\""), std::string::npos)
        << qemu.output;
    EXPECT_NE(qemu.output.find("name \"kmemdump-md-pci\", bus PCI, desc \"minidump controller\""),
              std::string::npos)
        << qemu.output;
}

TEST(BuiltIn, IsWhatKmdumpRunUses)
{
    const support::RunFolder folder;
    const auto run = support::run({support::required("KMD_KMDUMP"), "run", "--quiet", "--kernel",
                                   support::required("KMD_PAYLOAD"), "--qemu", support::qemu_program(),
                                   "--output", folder.file("run")},
                                  seconds(60));
    EXPECT_EQ(run.status, 3) << run.output;
    EXPECT_EQ(support::dumps_in(folder.file("run")).size(), 1u) << run.output;
}

} // namespace
