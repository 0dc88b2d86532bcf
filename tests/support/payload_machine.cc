// SPDX-License-Identifier: GPL-2.0-or-later
#include "payload_machine.h"

#include "environment.h"

#include <stdexcept>
#include <thread>

namespace support
{

namespace
{

std::vector<std::string> arguments(const RunFolder& folder, PayloadMode mode, const std::string& properties,
                                   const std::vector<std::string>& more)
{
    auto command = qemu_command();
    command.insert(
        command.end(),
        {"-serial", "file:" + folder.file("console.log"), "-monitor", "none", "-qmp",
         "unix:" + folder.file("qmp.sock") + ",server=on,wait=off", "-device",
         "kmemdump-md,id=md,output=" + folder.path().string() + (properties.empty() ? "" : "," + properties),
         "-kernel", required("KMD_PAYLOAD"), "-device",
         "loader,addr=0x48000000,data=" + std::to_string(static_cast<int>(mode)) + ",data-len=4", "-S"});
    command.insert(command.end(), more.begin(), more.end());
    return command;
}

} // namespace

PayloadMachine::PayloadMachine(PayloadMode mode, const std::string& properties,
                               const std::vector<std::string>& more)
    : qemu_(arguments(folder_, mode, properties, more), folder_.file("qemu.log")),
      qmp_(folder_.file("qmp.sock"), std::chrono::seconds(20))
{
    qmp_.execute("cont");
    for (int i = 0; i < 2000 && console().find("ready") == std::string::npos; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (console().find("ready") == std::string::npos) {
        throw std::runtime_error("the payload did not get ready: " + console() + messages());
    }
    // From "ready" to its last instruction it has a few more to execute.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

void PayloadMachine::request_dump(const std::string& reason)
{
    qmp_.execute("qom-set", {{"path", "/machine/peripheral/md"}, {"property", "dump"}, {"value", reason}});
}

int PayloadMachine::wait_for_the_end()
{
    const auto status = qemu_.wait(std::chrono::seconds(20));
    if (!status) {
        throw std::runtime_error("QEMU did not end; the payload said: " + console());
    }
    return *status;
}

} // namespace support
