// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which QEMU and which plugin `kmdump run` takes, and whether they fit.
#pragma once

#include "common/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace kmdump
{

/// A QEMU program and the plugin for it.
struct QemuAndPlugin {
    std::string qemu;    ///< path of qemu-system-aarch64
    std::string version; ///< of QEMU, such as "7.2.22"
    std::string plugin;  ///< path of kmemdump-md.so
};

/// `qemu` and `plugin` are paths; where one is empty, QEMU is searched in PATH, and the plugin in the
/// build folder and where it is installed. The error says what was expected: a program or file that
/// is there, and the QEMU that the plugin was built for.
kmd::Result<QemuAndPlugin> find_qemu_and_plugin(const std::string& qemu, const std::string& plugin);

/// "7.2.22" out of what `qemu-system-aarch64 --version` prints.
std::optional<std::string> version_in(std::string_view text);

/// The QEMU release that a plugin was built for: the string at its symbol
/// kmemdump_md_built_for_qemu.
kmd::Result<std::string> built_for(const std::string& plugin);

} // namespace kmdump
