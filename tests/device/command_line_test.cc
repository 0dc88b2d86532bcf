// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mistakes of the person at the host: one sentence that says what to do, and no running QEMU.
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

using support::Finished;
using support::RunFolder;

namespace
{

Finished start(const std::string& device, const std::vector<std::string>& more = {})
{
    auto command = support::qemu_command();
    command.insert(command.end(), {"-S", "-serial", "null", "-monitor", "null", "-device", device});
    command.insert(command.end(), more.begin(), more.end());
    return support::run(command, std::chrono::seconds(20));
}

Finished start_device(const std::string& properties)
{
    return start("kmemdump-md," + properties);
}

void expect_refused(const Finished& qemu, const std::string& sentence)
{
    EXPECT_EQ(qemu.status, 1) << qemu.output;
    EXPECT_NE(qemu.output.find(sentence), std::string::npos) << qemu.output;
}

TEST(CommandLine, RefusesAMissingOutputFolder)
{
    expect_refused(start_device("output=/does/not/exist"),
                   "output folder '/does/not/exist' cannot be opened: No such file or directory; create it");
}

TEST(CommandLine, RefusesAFileAsOutputFolder)
{
    const RunFolder folder;
    std::ofstream(folder.file("file")) << "x";
    expect_refused(start_device("output=" + folder.file("file")),
                   "cannot be opened: Not a directory; create it");
}

TEST(CommandLine, RefusesAnOutputFolderThatTakesNoFile)
{
    // Even root cannot create a file there.
    expect_refused(start_device("output=/proc"), "output folder '/proc' is not writable");
}

TEST(CommandLine, RefusesToBeRecordedOrReplayed)
{
    const RunFolder folder;
    expect_refused(
        start("kmemdump-md,output=/tmp",
              {"-icount", "shift=auto,rr=record,rrfile=" + folder.file("recorded")}),
        "a controller cannot be recorded or replayed: when the host takes a dump, and for how long, is "
        "not the same twice; leave out either rr= of -icount or the device");
}

TEST(CommandLine, RefusesAMachineWithoutACpu)
{
    auto command = support::qemu_command();
    // "none" has the CPU that -cpu names, and no other.
    const auto cpu = std::find(command.begin(), command.end(), "-cpu");
    command.erase(cpu, cpu + 2);
    command.insert(command.end(), {"-M", "none", "-device", "kmemdump-md,output=/tmp"});
    expect_refused(support::run(command, std::chrono::seconds(20)),
                   "the machine has no CPU: a controller needs a -M that has one");
}

TEST(CommandLine, RefusesOutputsThatExcludeEachOther)
{
    expect_refused(start_device("output=/tmp,file=/tmp/x"), "file= and output= exclude each other");
    expect_refused(start("kmemdump-md,file=/tmp/x,chardev=c", {"-chardev", "null,id=c"}),
                   "file= and chardev= exclude each other");
    expect_refused(start_device("format=qcom,file=/tmp/x"), "format=qcom makes a folder for each dump");
    expect_refused(start_device("format=qcom,compress=zstd"), "compress= has to be none");
    expect_refused(start_device("chardev=missing"), "'missing'");
    expect_refused(start("kmemdump-md,chardev=c,chardev-timeout=0", {"-chardev", "null,id=c"}),
                   "chardev-timeout=0");
}

TEST(CommandLine, RefusesNamesThatLeaveTheFolderOrTellNoDumpsApart)
{
    expect_refused(start_device("output=/tmp,name=../%n"),
                   "name=../%n is not the name of a file in the output folder");
    expect_refused(start_device("output=/tmp,name=dump"), "name=dump needs a %n");
}

TEST(CommandLine, RefusesAFileWhoseFolderIsMissing)
{
    expect_refused(start_device("file=/does/not/exist"),
                   "file folder '/does/not' cannot be opened: No such file or directory; create it");
}

TEST(CommandLine, RefusesAnUnknownCompression)
{
    expect_refused(start_device("output=/tmp,compress=xz"), "compress=xz is unknown: expected none or zstd");
}

TEST(CommandLine, RefusesAnAddressThatAnotherDeviceHas)
{
    expect_refused(start_device("addr=0x09000000"),
                   "addr=0x9000000 is taken: 'pl011' lies at 0x9000000; choose");
}

TEST(CommandLine, RefusesAnAddressInRam)
{
    expect_refused(start_device("addr=0x40000000"), "addr=0x40000000 is taken: 'mach-virt.ram'");
}

TEST(CommandLine, RefusesAnAddressWhoseEndReachesAnotherDevice)
{
    expect_refused(start_device("addr=0x08fff000"), "is taken: 'pl011' lies at 0x9000000");
}

TEST(CommandLine, RefusesASecondControllerOnTopOfTheFirst)
{
    expect_refused(start("kmemdump-md", {"-device", "kmemdump-md"}),
                   "addr=0xb000000 is taken: 'kmemdump-md'");
}

TEST(CommandLine, RefusesAnUnalignedAddress)
{
    expect_refused(start_device("addr=0x0b000010"), "it has to be a multiple of 0x1000");
}

TEST(CommandLine, RefusesAnAddressAtTheEndOfTheSpace)
{
    expect_refused(start_device("addr=0xfffffffffffff000"), "is not possible: it has to be a multiple of");
}

TEST(CommandLine, RefusesAnImpossibleNumberOfSlots)
{
    expect_refused(start_device("slots=0"), "slots=0 is out of range: 1 to 65536");
    expect_refused(start_device("slots=65537"), "slots=65537 is out of range: 1 to 65536");
    expect_refused(start_device("slots=many"), "Parameter 'slots' expects");
}

TEST(CommandLine, RefusesALimitAboveTheNumberOfSlots)
{
    expect_refused(start_device("slots=10,max-regions=11"), "max-regions=11 is more than slots=10");
}

TEST(CommandLine, RefusesAnUnknownProperty)
{
    expect_refused(start_device("colour=red"), "Property 'kmemdump-md.colour' not found");
}

TEST(CommandLine, RefusesA32BitCpu)
{
    expect_refused(start("kmemdump-md", {"-cpu", "cortex-a15"}), "not 64-bit little-endian");
}

} // namespace
