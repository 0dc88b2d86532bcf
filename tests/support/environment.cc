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

std::vector<std::string> qemu_command()
{
    return {"qemu-system-aarch64",
            "-M",
            "virt",
            "-cpu",
            "cortex-a57",
            "-m",
            "256M",
            "-nic",
            "none",
            "-display",
            "none"};
}

} // namespace support
