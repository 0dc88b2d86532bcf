// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kmd::Host that records what the controller tells it and lets the test decide when to dump.
#pragma once

#include "controller.h"
#include "fake_guest.h"

#include <string>
#include <vector>

namespace kmd::test
{

class FakeHost final : public Host
{
  public:
    GuestMemory& memory() override { return guest; }
    std::vector<std::byte> cpu_notes() override { return notes; }
    void schedule_dump() override { ++scheduled; }
    void log_guest_error(const std::string& message) override { guest_errors.push_back(message); }
    void report(const std::string& message) override { reports.push_back(message); }
    void warn(const std::string& message) override { warnings.push_back(message); }

    /// What the emulator does after schedule_dump(); once, however often it was called.
    void run_scheduled(Controller& controller)
    {
        if (scheduled > 0) {
            scheduled = 0;
            controller.take_dump();
        }
    }

    FakeGuest guest;
    std::vector<std::byte> notes;
    int scheduled = 0;
    std::vector<std::string> guest_errors;
    std::vector<std::string> reports;
    std::vector<std::string> warnings;
};

} // namespace kmd::test
