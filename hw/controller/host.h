// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface that the emulator implements for the controller.
#pragma once

#include "common/machine.h"
#include "hw/memory/guest_memory.h"
#include "hw/output/channel.h"
#include "hw/snapshot/system_registers.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kmd
{

/// The CPUs of the guest, while all of them are stopped.
class Cpus : public SystemRegisters
{
  public:
    /// ELF notes with the registers of all CPUs, in CPU order.
    virtual std::vector<std::byte> cpu_notes() = 0;
};

class Scheduler
{
  public:
    virtual ~Scheduler() = default;

    /// Stops all CPUs soon, then calls Controller::take_dump().
    virtual void schedule_dump() = 0;
};

/// Messages and events for the user and for programs on the host.
class Events
{
  public:
    virtual ~Events() = default;

    /// The guest violated the register interface. It can do so at any rate.
    virtual void log_guest_error(const std::string& message) = 0;

    /// A message for the user; at most a few for each dump.
    virtual void report(const std::string& message) = 0;
    virtual void warn(const std::string& message) = 0;

    /// A step of the controller; only if Controller::set_trace() enabled it.
    virtual void trace(const std::string& message) = 0;

    /// An attempt ended. `bytes`: size of the file; `error` is empty if the file is complete. For attempts
    /// without a file it is called only a bounded number of times.
    virtual void dump_done(std::uint64_t bytes, const std::string& error) = 0;
};

class Host : public Cpus, public Scheduler, public Channel, public Events
{
  public:
    virtual GuestMemory& memory() = 0;

    /// The current machine: an emulator can report another one before the guest has set up its CPUs.
    virtual Machine machine() = 0;
};

} // namespace kmd
