// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stock kernel with our modules in the stock QEMU with our plugin.
#pragma once

#include "qmp.h"
#include "run_folder.h"
#include "subprocess.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace boot
{

/// A region as the guest put it into the controller's table.
struct RegisteredRegion {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
};

/// That of the guests of this test: KMD_GUEST, or aarch64 if it is not set.
std::string architecture();

/// The release of the kernel that the tests boot, such as "6.12.117+deb12-cloud-arm64".
std::string kernel_release();

/// The path of that kernel.
std::string kernel_image();

/// What a dump of the default profile may have, in bytes: 4 MiB, and one more for the functions that 7.x
/// has more, whose names are in it.
std::uintmax_t most_bytes_by_default();

/// Whether that kernel has our code built in rather than as modules.
bool kernel_has_it_built_in();

/// What the guest's command line says to give the controller's driver a parameter, "name=value".
std::string driver_parameter(const std::string& parameter);

struct GuestOptions {
    /// Where the initramfs is; the one of scripts/test when it is left out.
    std::string initrd;
    /// Added to the kernel command line; guest/initramfs/init says what it understands.
    std::string command_line;
    /// Properties of the controller besides its output folder.
    std::string properties;
    /// The controller at the platform's address; QEMU knows the device types in any case.
    bool controller = true;
    /// The CPUs stand still until gdb, connected to gdb.sock in the folder, lets them go.
    bool under_gdb = false;
    /// What -m takes.
    std::string ram = "256M";
    /// Further arguments of QEMU.
    std::vector<std::string> qemu = {};
};

class Guest
{
  public:
    explicit Guest(const GuestOptions& options);

    support::Qmp& qmp() { return *qmp_; }
    pid_t pid() const { return qemu_.pid(); }

    /// QOM path of the controller.
    static std::string controller() { return "/machine/peripheral/md"; }

    /// Waits for QEMU to end by itself and returns its exit status; fails the test after five minutes.
    int wait_for_the_end();

    /// What the guest printed on its serial port.
    std::string console() const { return folder_.read("console.log"); }

    /// What QEMU said on its standard error.
    std::string messages() const { return folder_.read("qemu.log"); }

    /// Virtual addresses that the guest printed because of kmd.print=.
    std::map<std::string, std::uint64_t> symbols() const;

    /// What lies in the slots of the controller now, by the guest's number of it (SLOT_ID).
    std::map<std::uint32_t, RegisteredRegion> regions();

    const support::RunFolder& folder() const { return folder_; }
    std::vector<std::filesystem::path> dumps() const { return support::dumps_in(folder_.path()); }

  private:
    support::RunFolder folder_;
    support::Subprocess qemu_;
    std::unique_ptr<support::Qmp> qmp_;
};

} // namespace boot
