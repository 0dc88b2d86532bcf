// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the build and scripts/test tell the tests: where the things under test are.
#pragma once

#include <string>
#include <vector>

namespace support
{

/// The value of an environment variable; throws a sentence that names ./scripts/test when it is not
/// set, because a test without its subject has failed.
std::string required(const std::string& variable);

/// The QEMU under test: KMD_QEMU, or the one in PATH.
std::string qemu_program();

/// Program, machine and CPU, without network, graphics and our device.
std::vector<std::string> plain_qemu_command();

/// The same for a QEMU that knows our device, by the way in that KMD_WAY_IN names: `plugin` (the default),
/// `preload` or `built-in`.
std::vector<std::string> qemu_command();

} // namespace support
