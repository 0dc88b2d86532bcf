// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stock kernel finds the controller on PCI, however it was told of its machine.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <filesystem>

using boot::Guest;
using boot::GuestOptions;

namespace
{

constexpr const char* kFirmware = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd";

/// A guest that crashes, with a PCI function that writes to `folder`, and no platform window.
GuestOptions on_pci(const support::RunFolder& folder)
{
    return {.controller = false,
            .qemu = {"-device", "kmemdump-md-pci,id=pci,output=" + folder.path().string()}};
}

void expect_dump_of_the_crash(const support::RunFolder& folder, Guest& guest)
{
    EXPECT_EQ(guest.wait_for_the_end(), 0) << guest.messages();
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(dumps[0].filename(), "kmemdump-0001-panic.elf");
    const auto info = support::run({support::required("KMD_KMDUMP"), "info", dumps[0].string()});
    EXPECT_EQ(info.status, 0) << info.output;
    EXPECT_NE(info.output.find("sysrq triggered crash"), std::string::npos) << info.output;
    EXPECT_NE(info.output.find(boot::kernel_release()), std::string::npos) << info.output;
    const auto verify = support::run({support::required("KMD_KMDUMP"), "verify", dumps[0].string()});
    EXPECT_EQ(verify.status, 0) << verify.output;
}

TEST(PciGuest, FindsTheFunctionThroughTheDeviceTree)
{
    const support::RunFolder folder;
    Guest guest(on_pci(folder));
    expect_dump_of_the_crash(folder, guest);
    EXPECT_NE(guest.console().find("kmemdump-md-pci 0000:00:"), std::string::npos) << guest.console();
    EXPECT_EQ(guest.console().find("no controller found"), std::string::npos);
}

TEST(PciGuest, FindsTheFunctionUnderUefiAndAcpi)
{
    ASSERT_TRUE(std::filesystem::exists(kFirmware)) << "run ./scripts/setup --all";
    const support::RunFolder folder;
    auto options = on_pci(folder);
    options.ram = "512M";
    options.qemu.insert(options.qemu.end(), {"-bios", kFirmware});
    Guest guest(options);
    expect_dump_of_the_crash(folder, guest);
    EXPECT_NE(guest.console().find("ACPI: Interpreter enabled"), std::string::npos)
        << "it was to start with ACPI";
}

TEST(PciGuest, FindsTheFunctionWithADeviceTreeOfTheUsers)
{
    const support::RunFolder folder;
    // QEMU's own tree without our node, as a file. QEMU leaves a megabyte of room in it, with which no kernel
    // starts.
    const std::string roomy = folder.file("roomy.dtb");
    const std::string tree = folder.file("user.dtb");
    auto command = support::plain_qemu_command();
    command[2] = "virt,dumpdtb=" + roomy;
    command.insert(command.end(), {"-smp", "2"});
    ASSERT_EQ(support::run(command).status, 0);
    ASSERT_EQ(support::run({"dtc", "-q", "-I", "dtb", "-O", "dtb", "-o", tree, roomy}).status, 0);
    auto options = on_pci(folder);
    options.qemu.insert(options.qemu.end(), {"-dtb", tree});
    Guest guest(options);
    expect_dump_of_the_crash(folder, guest);
}

TEST(PciGuest, WithBothDevicesHasADumpInTheOneThatTheDriverTookFirst)
{
    const support::RunFolder folder;
    auto options = on_pci(folder);
    options.controller = true;
    Guest guest(options);
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(guest.dumps().size() + support::dumps_in(folder.path()).size(), 1u)
        << guest.messages() << guest.console();
}

} // namespace
