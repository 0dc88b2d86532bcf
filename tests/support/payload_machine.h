// SPDX-License-Identifier: GPL-2.0-or-later
//
// The bare-metal payload in the stock QEMU, which runs while the test talks to its monitor.
#pragma once

#include "qmp.h"
#include "run_folder.h"
#include "subprocess.h"

#include <filesystem>
#include <string>
#include <vector>

namespace support
{

/// What the payload does in the end: enum mode of guest/baremetal/payload.c.
enum class PayloadMode {
    kReset = 2,
    kPanicAndReset = 3,
    kPowerOff = 4,
    kHang = 5,
    kJumpIntoTheVoid = 6,
    kStackOverflow = 7,
    kBrokenVectors = 8,
    kWaitAndPanic = 9,
    kPanicAndResetDisk = 12,
    kWaitAndRequest = 13,
};

class PayloadMachine
{
  public:
    /// Returns when the payload has said that it is ready to die. `properties`: of the controller,
    /// besides its id and output. `more`: further arguments of QEMU.
    explicit PayloadMachine(PayloadMode mode, const std::string& properties = "",
                            const std::vector<std::string>& more = {});

    Qmp& qmp() { return qmp_; }
    pid_t pid() const { return qemu_.pid(); }

    /// qom-set of the controller's property `dump`.
    void request_dump(const std::string& reason);

    /// Waits for QEMU to end by itself.
    int wait_for_the_end();

    std::string console() const { return folder_.read("console.log"); }
    std::string messages() const { return folder_.read("qemu.log"); }
    std::vector<std::filesystem::path> dumps() const { return dumps_in(folder_.path()); }

  private:
    RunFolder folder_;
    Subprocess qemu_;
    Qmp qmp_;
};

} // namespace support
