// SPDX-License-Identifier: GPL-2.0-or-later
//
// The machine on which `kmdump run` starts a kernel: a fact of each architecture.
#pragma once

#include "common/result.h"

#include <cstddef>
#include <span>
#include <string>

namespace kmdump
{

struct GuestMachine {
    /// As `uname -m` prints it.
    const char* architecture;
    /// QEMU's program.
    const char* program;
    /// Values of -M and, unless the user chooses another, of -cpu.
    const char* machine;
    const char* cpu;
    /// Linux's name of the first serial port.
    const char* console;
    /// The controller's device type.
    const char* device;
};

/// The machine of an architecture; an error that names the known ones if there is none.
kmd::Result<GuestMachine> find_guest_machine(const std::string& architecture);

/// The architecture for which a kernel image was built, by its header; empty if the header does not say, as
/// that of a compressed file. `image`: its first bytes, some 4 KiB of them.
std::string architecture_of_image(std::span<const std::byte> image);

/// The machine of `architecture`; if that is empty of the one for which the file `kernel` was built, or of
/// aarch64 if the file does not say.
kmd::Result<GuestMachine> choose_guest_machine(const std::string& architecture, const std::string& kernel);

} // namespace kmdump
