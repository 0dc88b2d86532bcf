// SPDX-License-Identifier: GPL-2.0-or-later
#include "environment.h"

#include <cstdlib>
#include <stdexcept>

namespace support
{

std::string required(const std::string& variable)
{
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') {
        throw std::runtime_error(variable + " is not set: run the tests with ./scripts/test");
    }
    return value;
}

std::string qemu_program()
{
    const char* const program = std::getenv("KMD_QEMU");
    return program == nullptr || *program == '\0' ? "qemu-system-aarch64" : program;
}

std::vector<std::string> plain_qemu_command()
{
    return {qemu_program(), "-M",   "virt", "-cpu",     "cortex-a57", "-m",
            "256M",         "-nic", "none", "-display", "none"};
}

std::vector<std::string> qemu_command()
{
    auto command = plain_qemu_command();
    const char* const variable = std::getenv("KMD_WAY_IN");
    const std::string way = variable == nullptr || *variable == '\0' ? "plugin" : variable;
    if (way == "plugin") {
        command.insert(command.end(), {"-plugin", required("KMD_PLUGIN")});
    } else if (way == "preload") {
        command.insert(command.begin(), {"env", "LD_PRELOAD=" + required("KMD_PLUGIN")});
    } else if (way != "built-in") {
        throw std::runtime_error("KMD_WAY_IN is '" + way + "', expected plugin, preload or built-in");
    }
    return command;
}

} // namespace support
