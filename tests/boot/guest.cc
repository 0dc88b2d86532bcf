// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#include "environment.h"

#include <sstream>
#include <stdexcept>
#include <string_view>

namespace boot
{

namespace
{

std::vector<std::string> arguments(const support::RunFolder& folder, const GuestOptions& options)
{
    auto command = support::qemu_command();
    command.insert(command.end(),
                   {"-m", options.ram, "-smp", "2", "-no-reboot", "-monitor", "none", "-serial",
                    "file:" + folder.file("console.log"), "-qmp",
                    "unix:" + folder.file("qmp.sock") + ",server=on,wait=off", "-kernel",
                    support::required("KMD_KERNEL"), "-initrd", support::required("KMD_INITRD"), "-append",
                    "console=ttyAMA0 panic=-1 " + options.command_line});
    if (options.controller) {
        command.insert(command.end(), {"-plugin", support::required("KMD_PLUGIN"), "-device",
                                       "kmemdump-md,id=md,output=" + folder.path().string() +
                                           (options.properties.empty() ? "" : "," + options.properties)});
    }
    return command;
}

} // namespace

Guest::Guest(const GuestOptions& options)
    : qemu_(arguments(folder_, options), folder_.file("qemu.log")),
      qmp_(std::make_unique<support::Qmp>(folder_.file("qmp.sock"), std::chrono::seconds(20)))
{
}

int Guest::wait_for_the_end()
{
    const auto status = qemu_.wait(std::chrono::seconds(60));
    if (!status) {
        throw std::runtime_error("the guest did not end within a minute; its console: " +
                                 folder_.file("console.log"));
    }
    return *status;
}

std::map<std::string, std::uint64_t> Guest::symbols() const
{
    std::map<std::string, std::uint64_t> symbols;
    std::istringstream lines(console());
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view kMark = "init: symbol ";
        const auto at = line.find(kMark);
        if (at == std::string::npos) {
            continue;
        }
        std::istringstream words(line.substr(at + kMark.size()));
        std::string address, type, name;
        words >> address >> type >> name;
        symbols[name] = std::stoull(address, nullptr, 16);
    }
    return symbols;
}

} // namespace boot
