// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace kmdump
{

std::optional<kmd::Error> write_output_file(const std::string& path, const std::string& what,
                                            const std::function<void(std::ostream&)>& write)
{
    const std::string pending = path + "." + std::to_string(::getpid()) + ".incomplete";
    std::ofstream file(pending, std::ios::binary | std::ios::trunc);
    write(file);
    file.close();
    if (!file || std::rename(pending.c_str(), path.c_str()) != 0) {
        const std::string cause = std::strerror(errno);
        std::remove(pending.c_str());
        return kmd::Error{what + " cannot be written to " + path + ": " + cause};
    }
    return std::nullopt;
}

} // namespace kmdump
