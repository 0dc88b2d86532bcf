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

struct GuestOptions {
    /// Added to the kernel command line; guest/initramfs/init says what it understands.
    std::string command_line;
    /// Properties of the controller besides its output folder.
    std::string properties;
    bool controller = true;
    /// What -m takes.
    std::string ram = "256M";
};

class Guest
{
  public:
    explicit Guest(const GuestOptions& options);

    support::Qmp& qmp() { return *qmp_; }

    /// QOM path of the controller.
    static std::string controller() { return "/machine/peripheral/md"; }

    /// Waits for QEMU to end by itself and returns its exit status; fails the test after a minute.
    int wait_for_the_end();

    /// What the guest printed on its serial port.
    std::string console() const { return folder_.read("console.log"); }

    /// What QEMU said on its standard error.
    std::string messages() const { return folder_.read("qemu.log"); }

    /// Virtual addresses that the guest printed because of kmd.print=.
    std::map<std::string, std::uint64_t> symbols() const;

    const support::RunFolder& folder() const { return folder_; }
    std::vector<std::filesystem::path> dumps() const { return support::dumps_in(folder_.path()); }

  private:
    support::RunFolder folder_;
    support::Subprocess qemu_;
    std::unique_ptr<support::Qmp> qmp_;
};

} // namespace boot
