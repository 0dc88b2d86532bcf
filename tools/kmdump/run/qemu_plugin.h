// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds QEMU and the plugin for `kmdump run`, and checks that they fit.
#pragma once

#include "common/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace kmdump
{

struct QemuAndPlugin {
    std::string qemu;    ///< path of qemu-system-aarch64
    std::string version; ///< of QEMU, such as "7.2.22"
    std::string plugin;  ///< path of kmemdump-md.so
};

/// `qemu` and `plugin` are paths. If empty, QEMU is searched in PATH, and the plugin in the build folder and
/// the installation. An error if one is missing, or if the plugin was built for another QEMU release.
kmd::Result<QemuAndPlugin> find_qemu_and_plugin(const std::string& qemu, const std::string& plugin);

/// The version, such as "7.2.22", in the output of `qemu-system-aarch64 --version`.
std::optional<std::string> parse_qemu_version(std::string_view text);

/// The QEMU release that the plugin was built for: the string at its symbol kmemdump_md_built_for_qemu.
kmd::Result<std::string> built_for(const std::string& plugin);

} // namespace kmdump
