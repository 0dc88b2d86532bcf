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

/// How the controller gets into a QEMU.
enum class WayIn {
    kPlugin,  ///< -plugin
    kPreload, ///< LD_PRELOAD, for a QEMU that has modules but no plugins
    kBuiltIn, ///< QEMU has the device itself
};

struct QemuAndPlugin {
    std::string qemu;    ///< path of the program
    std::string version; ///< of QEMU, such as "7.2.22"
    WayIn way = WayIn::kPlugin;
    std::string plugin; ///< path of kmemdump-md.so; empty if the device is built in
};

/// `qemu` and `plugin` are paths. If empty, QEMU is searched in PATH under `name`, and the plugin in the
/// build folder, beside the command and in the installation. An error if one is missing, if QEMU cannot take
/// the device, or if the plugin has no part for this QEMU release.
kmd::Result<QemuAndPlugin> find_qemu_and_plugin(const std::string& qemu, const std::string& name,
                                                const std::string& plugin);

/// The version, such as "7.2.22", in the output of `qemu-system-aarch64 --version`.
std::optional<std::string> parse_qemu_version(std::string_view text);

/// The way into a program, according to the symbols that it exports; none if no device can be added. A
/// program that is not an ELF file, such as a script that runs QEMU, is assumed to have plugins.
std::optional<WayIn> way_into(const std::string& program);

/// An error unless `plugin` is kmemdump-md.so with the part for this QEMU release beside it.
std::optional<kmd::Error> check_plugin(const std::string& plugin, const std::string& release);

} // namespace kmdump
