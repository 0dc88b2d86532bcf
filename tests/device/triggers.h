// SPDX-License-Identifier: GPL-2.0-or-later
//
// What can be done to a machine so that the controller takes a dump.
#pragma once

#include "qtest.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace device
{

/// The word that the payload waits for: GO_ADDRESS.
inline constexpr std::uint64_t kGo = 0x48000008;

/// A PCI device in slot 1: where its configuration space is, and where the tests put its BAR.
inline constexpr std::uint64_t kConfiguration = 0x4010000000 + (1ull << 15);
inline constexpr std::uint64_t kBar = 0x10000000;

inline void enable_pci_device(support::QtestMachine& machine)
{
    machine.write32(kConfiguration + 0x10, kBar);
    machine.write32(kConfiguration + 0x04, 2);
}

/// As firmware and a driver would: section "PCI device specification" of QEMU's docs on pvpanic.
inline void pvpanic(support::QtestMachine& machine)
{
    enable_pci_device(machine);
    machine.write8(kBar, 1);
}

/// The i6300ESB: its data sheet is order number 300641. Two stages of 31 us each, then a reset.
inline void watchdog(support::QtestMachine& machine)
{
    enable_pci_device(machine);
    machine.write16(kConfiguration + 0x60, 0x0007); // 1 MHz, no interrupt, reset at the end
    for (const std::uint64_t preload : {0, 4}) {
        machine.write16(kBar + 0x0c, 0x80);
        machine.write16(kBar + 0x0c, 0x86);
        machine.write32(kBar + preload, 1);
    }
    machine.write8(kConfiguration + 0x68, 2); // on
}

inline void ask(support::QtestMachine& machine, const std::string& reason)
{
    machine.qmp().execute("qom-set",
                          {{"path", "/machine/peripheral/md"}, {"property", "dump"}, {"value", reason}});
}

inline std::function<void(support::QtestMachine&)> qmp(const std::string& command)
{
    return [command](support::QtestMachine& machine) { machine.qmp().execute(command); };
}

inline void go(support::QtestMachine& machine)
{
    machine.write32(kGo, 1);
}

inline std::vector<std::string> pvpanic_with(const std::string& action)
{
    return {"-device", "pvpanic-pci,addr=1", "-action", "panic=" + action};
}

} // namespace device
