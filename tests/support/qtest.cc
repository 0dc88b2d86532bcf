// SPDX-License-Identifier: GPL-2.0-or-later
#include "qtest.h"

#include "environment.h"

#include <charconv>
#include <stdexcept>

namespace support
{

namespace
{

std::string hex(std::uint64_t value)
{
    char digits[16];
    return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof(digits), value, 16).ptr);
}

std::string hex(std::span<const std::byte> bytes)
{
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "0x";
    for (const std::byte byte : bytes) {
        text += kDigits[std::to_integer<unsigned>(byte) >> 4];
        text += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

std::vector<std::string> arguments(const RunFolder& folder, const Place& place, const std::string& properties,
                                   const std::vector<std::string>& more)
{
    auto command = qemu_command();
    command.insert(command.end(),
                   {"-smp", "2", "-S", "-serial", "null", "-monitor", "none", "-accel", "tcg", "-qtest",
                    "stdio", "-qtest-log", "none", "-d", "guest_errors", "-qmp",
                    "unix:" + folder.file("qmp.sock") + ",server=on,wait=off", "-device",
                    "kmemdump-md," + place.property + (properties.empty() ? "" : "," + properties)});
    command.insert(command.end(), more.begin(), more.end());
    return command;
}

} // namespace

QtestMachine::QtestMachine(const std::string& properties, const std::vector<std::string>& more)
    : QtestMachine(Place{}, properties, more)
{
}

QtestMachine::QtestMachine(const Place& place, const std::string& properties,
                           const std::vector<std::string>& more)
    : qemu_(arguments(folder_, place.property.empty() ? Place{"output=" + folder_.path().string()} : place,
                      properties, more),
            folder_.file("qemu.log")),
      qmp_(folder_.file("qmp.sock"), std::chrono::seconds(20))
{
}

int QtestMachine::wait_for_the_end()
{
    const auto status = qemu_.wait(std::chrono::seconds(20));
    if (!status) {
        throw std::runtime_error("QEMU did not end: " + messages());
    }
    return *status;
}

void QtestMachine::reset()
{
    qmp_.execute("system_reset");
    qmp_.wait_event("RESET", std::chrono::seconds(20));
}

std::string QtestMachine::command(const std::string& line)
{
    qemu_.write(line + "\n");
    while (const auto answer = qemu_.read_line(std::chrono::seconds(20))) {
        if (answer->starts_with("OK")) {
            return answer->size() > 3 ? answer->substr(3) : "";
        }
        if (answer->starts_with("FAIL") || answer->starts_with("ERR")) {
            throw std::runtime_error(line + ": " + *answer);
        }
    }
    throw std::runtime_error(line + ": no answer; QEMU said: " + messages());
}

std::uint64_t QtestMachine::read(const std::string& name, std::uint64_t address)
{
    return std::stoull(command(name + " " + hex(address)), nullptr, 16);
}

void QtestMachine::write(const std::string& name, std::uint64_t address, std::uint64_t value)
{
    command(name + " " + hex(address) + " " + hex(value));
}

void QtestMachine::write_memory(std::uint64_t address, std::span<const std::byte> bytes)
{
    command("write " + hex(address) + " " + hex(bytes.size()) + " " + hex(bytes));
}

std::vector<std::byte> QtestMachine::read_memory(std::uint64_t address, std::size_t size)
{
    const std::string text = command("read " + hex(address) + " " + hex(size));
    std::vector<std::byte> bytes;
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

} // namespace support
