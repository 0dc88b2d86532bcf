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

/// The program, machine and CPU, without network and graphics: what every test's QEMU starts with.
std::vector<std::string> qemu_command();

} // namespace support
