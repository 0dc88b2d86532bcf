// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#include "environment.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace boot
{

namespace
{

/// What differs between the machines of the guests.
struct Machine {
    std::vector<std::string> command;
    std::string device;
    std::string console;
    std::string kernel;
    std::string initrd;
};

Machine machine()
{
    if (architecture() == "aarch64") {
        return {support::qemu_command(), "kmemdump-md", "ttyAMA0", support::required("KMD_KERNEL"),
                support::required("KMD_INITRD")};
    }
    std::vector<std::string> command = {
        "qemu-system-" + architecture(), "-nic", "none", "-display", "none", "-plugin",
        support::required("KMD_PLUGIN")};
    if (architecture() == "x86_64") {
        command.insert(command.end(), {"-M", "q35", "-cpu", "max"});
    } else {
        command.insert(command.end(), {"-M", "virt"});
    }
    const std::string folder = support::required("KMD_" + architecture());
    return {command, "kmemdump-md-pci", "ttyS0", folder + "/vmlinuz", folder + "/initrd.gz"};
}

std::vector<std::string> arguments(const support::RunFolder& folder, const GuestOptions& options)
{
    const Machine machine = boot::machine();
    auto command = machine.command;
    command.insert(command.end(),
                   {"-m", options.ram, "-smp", "2", "-no-reboot", "-monitor", "none", "-serial",
                    "file:" + folder.file("console.log"), "-qmp",
                    "unix:" + folder.file("qmp.sock") + ",server=on,wait=off", "-kernel", machine.kernel,
                    "-initrd", options.initrd.empty() ? machine.initrd : options.initrd, "-append",
                    "console=" + machine.console + " panic=-1 " + options.command_line});
    if (options.under_gdb) {
        command.insert(command.end(),
                       {"-S", "-gdb", "unix:" + folder.file("gdb.sock") + ",server=on,wait=off"});
    }
    if (options.controller) {
        command.insert(command.end(),
                       {"-device", machine.device + ",id=md,output=" + folder.path().string() +
                                       (options.properties.empty() ? "" : "," + options.properties)});
    }
    command.insert(command.end(), options.qemu.begin(), options.qemu.end());
    return command;
}

std::filesystem::path kernel_folder()
{
    return std::filesystem::path(machine().kernel).parent_path();
}

} // namespace

std::string architecture()
{
    const char* const name = std::getenv("KMD_GUEST");
    return name == nullptr ? "aarch64" : name;
}

std::string kernel_release()
{
    std::ifstream file(kernel_folder() / "release");
    std::string release;
    if (!(file >> release)) {
        throw std::runtime_error(kernel_folder().string() + " has no file 'release'");
    }
    return release;
}

std::string kernel_image()
{
    return machine().kernel;
}

std::uintmax_t most_bytes_by_default()
{
    return (kernel_release().starts_with("7.") ? 5u : 4u) * 1024 * 1024;
}

bool kernel_has_it_built_in()
{
    return std::filesystem::exists(kernel_folder() / "builtin");
}

std::string driver_parameter(const std::string& parameter)
{
    return (kernel_has_it_built_in() ? "kmemdump_md." : "kmd.param=") + parameter;
}

Guest::Guest(const GuestOptions& options)
    : qemu_(arguments(folder_, options), folder_.file("qemu.log")),
      qmp_(std::make_unique<support::Qmp>(folder_.file("qmp.sock"), std::chrono::seconds(60)))
{
}

int Guest::wait_for_the_end()
{
    const auto status = qemu_.wait(std::chrono::minutes(5));
    if (!status) {
        throw std::runtime_error("the guest did not end within five minutes; its console: " +
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

std::map<std::uint32_t, RegisteredRegion> Guest::regions()
{
    // docs/register-spec.md section 5: 64 bytes a slot, from 0x1000 into the window.
    constexpr std::size_t kWords = 8;
    const std::string dump =
        qmp_->execute("human-monitor-command", {{"command-line", "xp /4096gx 0x0b001000"}})
            .get<std::string>();
    std::vector<std::uint64_t> words;
    std::istringstream tokens(dump);
    for (std::string token; tokens >> token;) {
        if (token.starts_with("0x")) {
            words.push_back(std::stoull(token, nullptr, 16));
        }
    }
    if (words.size() != 512 * kWords) {
        throw std::runtime_error("expected 512 slots, the monitor says: " + dump.substr(0, 200));
    }
    std::map<std::uint32_t, RegisteredRegion> regions;
    for (std::size_t i = 0; i < words.size(); i += kWords) {
        if (words[i + 7] == 1) {
            regions[static_cast<std::uint32_t>(words[i + 5])] = {words[i], words[i + 1], words[i + 2]};
        }
    }
    return regions;
}

} // namespace boot
