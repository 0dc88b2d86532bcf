// SPDX-License-Identifier: GPL-2.0-or-later
//
// A machine that runs two kernels, one after the other: a crash kernel, kexec, and hibernation. The dump is
// the first one's or there is none; never a mixture that is called complete.
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

using boot::Guest;
using boot::GuestOptions;
using nlohmann::json;

namespace
{

const std::string kPanic = "Kernel panic - not syncing: sysrq triggered crash";

std::string log_of(const std::filesystem::path& dump)
{
    return support::run({support::required("KMD_KMDUMP"), "log", dump.string()}).output;
}

json sidecar_of(const std::filesystem::path& dump)
{
    std::ifstream file(dump.string() + ".json");
    return json::parse(file, nullptr, false);
}

/// A guest that has loaded a crash kernel, which gets these words, and that does something then.
GuestOptions with_crash_kernel(const std::string& words, const std::string& more)
{
    return {.initrd = support::required("KMD_KEXEC_INITRD"),
            .command_line = "crashkernel=192M kmd.capture=" + words + " " + more,
            .ram = "640M"};
}

void expect_the_log_of_the_first_kernel(const Guest& guest, const std::string& file)
{
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), file);
    const std::string log = log_of(guest.dumps()[0]);
    EXPECT_NE(log.find(kPanic), std::string::npos) << log;
    EXPECT_NE(log.find("init: crash kernel loaded"), std::string::npos) << log;
    // Memory of the first kernel; the CPUs are the second one's.
    const auto sidecar = sidecar_of(guest.dumps()[0]);
    EXPECT_EQ(sidecar["result"], "partial") << sidecar;
    EXPECT_FALSE(sidecar["cpus_of_another_kernel"].empty()) << sidecar;
}

// The panic goes to the crash kernel before the driver hears of it.
TEST(CrashKernel, WithOurModulesLeavesTheTableOfTheOneThatDied)
{
    Guest guest(with_crash_kernel("kmd.do=poweroff", ""));
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find(
                  "this is a crash kernel, the regions of the kernel that died are left as they are"),
              std::string::npos)
        << guest.console();
    expect_the_log_of_the_first_kernel(guest, "kmemdump-0001-shutdown.elf");
}

TEST(CrashKernel, WithoutOurModulesLeavesTheTableOfTheOneThatDied)
{
    Guest guest(with_crash_kernel("kmd.load=none,kmd.do=poweroff", ""));
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    expect_the_log_of_the_first_kernel(guest, "kmemdump-0001-shutdown.elf");
}

// The dump is taken in the panic; what comes later is the same incident.
TEST(CrashKernel, BehindTheNotifiersComesAfterTheDump)
{
    Guest guest(with_crash_kernel("kmd.do=poweroff", "crash_kexec_post_notifiers"));
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_FALSE(guest.dumps().empty()) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    EXPECT_NE(log_of(guest.dumps()[0]).find(kPanic), std::string::npos);
}

TEST(OrderlyKexec, LeavesNoDumpAndTheNextKernelRegistersItsOwn)
{
    Guest guest({.initrd = support::required("KMD_KEXEC_INITRD"),
                 .command_line = "kmd.do=kexec:kmd.do=request",
                 .ram = "640M"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(guest.console().find("of an earlier kernel are still in the table"), std::string::npos)
        << guest.console();
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-request.elf");
}

/// A disk to hibernate to, which a second machine can have.
std::vector<std::string> disk(const std::string& path)
{
    return {"-drive", "file=" + path + ",format=raw,if=none,id=disk", "-device", "nvme,drive=disk,serial=1"};
}

/// In 256 MiB Linux 7.3 is sometimes a few pages short of the memory for its image, and goes on.
constexpr const char* kEnoughForAnImage = "512M";

TEST(Hibernation, KernelThatIsBackHasItsRegionsInANewMachine)
{
    const support::RunFolder folder;
    const std::string path = folder.file("disk");
    std::ofstream(path).close();
    std::filesystem::resize_file(path, 512u << 20);

    Guest before({.initrd = support::required("KMD_TEST_INITRD"),
                  .command_line = "kmd.do=hibernate",
                  .ram = kEnoughForAnImage,
                  .qemu = disk(path)});
    EXPECT_EQ(before.wait_for_the_end(), 0);
    EXPECT_NE(before.console().find("init: hibernates"), std::string::npos) << before.console();
    EXPECT_EQ(before.console().find("init: awake again"), std::string::npos) << before.console();
    // The power went off in an orderly way.
    EXPECT_TRUE(before.dumps().empty()) << before.messages();

    Guest after({.initrd = support::required("KMD_TEST_INITRD"),
                 .command_line = "kmd.do=resume",
                 .ram = kEnoughForAnImage,
                 .qemu = disk(path)});
    EXPECT_EQ(after.wait_for_the_end(), 0);
    ASSERT_EQ(after.dumps().size(), 1u) << after.messages() << after.console();
    EXPECT_EQ(after.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    const std::string log = log_of(after.dumps()[0]);
    // From the first machine and from the second.
    EXPECT_NE(log.find("init: hibernates"), std::string::npos) << log;
    EXPECT_NE(log.find("init: awake again"), std::string::npos) << log;
    EXPECT_NE(log.find(kPanic), std::string::npos) << log;
    EXPECT_EQ(log.find("init: not resumed"), std::string::npos) << log;
    const auto info = support::run({support::required("KMD_KMDUMP"), "info", after.dumps()[0].string()});
    EXPECT_NE(info.output.find("kernel:    " + boot::kernel_release()), std::string::npos) << info.output;
    EXPECT_NE(info.output.find("complete:  yes"), std::string::npos) << info.output;
    const auto verify = support::run({support::required("KMD_KMDUMP"), "verify", after.dumps()[0].string()});
    EXPECT_EQ(verify.status, 0) << verify.output;
}

} // namespace
