// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the controller needs of the emulator around it.
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
    /// ELF notes with the registers of every CPU, in CPU order.
    virtual std::vector<std::byte> cpu_notes() = 0;
};

class Scheduler
{
  public:
    virtual ~Scheduler() = default;

    /// Stop all CPUs soon, then call Controller::take_dump().
    virtual void schedule_dump() = 0;
};

/// What becomes of it all, for people and programs at the host.
class Events
{
  public:
    virtual ~Events() = default;

    /// The guest broke a rule of the register interface. It can do so at any rate.
    virtual void log_guest_error(const std::string& message) = 0;

    /// Something that the person at the host wants to know; at most a few for each dump.
    virtual void report(const std::string& message) = 0;
    virtual void warn(const std::string& message) = 0;

    /// A step of the controller, if Controller::set_trace() asked for it.
    virtual void trace(const std::string& message) = 0;

    /// An attempt is over. `bytes` are in the file; `error` is empty when it is complete. Called a
    /// bounded number of times when there is no file.
    virtual void dump_done(std::uint64_t bytes, const std::string& error) = 0;
};

class Host : public Cpus, public Scheduler, public Channel, public Events
{
  public:
    virtual GuestMemory& memory() = 0;

    /// What the CPUs are now: an emulator can say something else before the guest has set them up.
    virtual Machine machine() = 0;
};

} // namespace kmd
