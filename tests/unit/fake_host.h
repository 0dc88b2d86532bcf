// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kmd::Host that records what the controller tells it and lets the test decide when to dump.
#pragma once

#include "fake_guest.h"
#include "hw/controller/controller.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kmd::test
{

class FakeHost final : public Host
{
  public:
    GuestMemory& memory() override { return guest; }
    Machine machine() override { return cpus; }
    std::vector<std::byte> cpu_notes() override { return notes; }
    void read_registers(unsigned cpu, std::span<SystemRegister> asked) override
    {
        for (SystemRegister& one : asked) {
            if (one.field != nullptr) {
                const auto found = fields.find({cpu, one.field});
                one.value = found == fields.end() ? std::nullopt : std::optional(found->second);
                continue;
            }
            const auto found = registers.find({cpu, one.number});
            one.value = found == registers.end() ? std::nullopt : std::optional(found->second);
        }
    }
    void schedule_dump() override { ++scheduled; }
    void log_guest_error(const std::string& message) override { guest_errors.push_back(message); }
    void report(const std::string& message) override { reports.push_back(message); }
    void warn(const std::string& message) override { warnings.push_back(message); }
    void trace(const std::string& message) override { traces.push_back(message); }
    void dump_done(std::uint64_t bytes, const std::string& error) override { done.push_back({bytes, error}); }

    std::optional<std::size_t> send(std::span<const std::byte> bytes) override
    {
        if (!connected || sent.size() >= leaves_after) {
            return std::nullopt;
        }
        const std::size_t now =
            std::min({bytes.size(), at_a_time, stalls_after - std::min(stalls_after, sent.size()),
                      leaves_after - sent.size()});
        sent.append(reinterpret_cast<const char*>(bytes.data()), now);
        return now;
    }
    bool disconnect() override
    {
        ++disconnects;
        return can_disconnect;
    }

    /// What the emulator does after schedule_dump(); once, however often it was called.
    void run_scheduled(Controller& controller)
    {
        if (scheduled > 0) {
            scheduled = 0;
            controller.take_dump();
        }
    }

    FakeGuest guest;
    Machine cpus = {.elf_machine = 183};
    std::vector<std::byte> notes;
    /// System registers: of which CPU, and which number.
    std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> registers;
    /// Those that have a name in the migration state.
    std::map<std::pair<unsigned, std::string>, std::uint64_t> fields;
    int scheduled = 0;
    std::vector<std::string> guest_errors;
    std::vector<std::string> reports;
    std::vector<std::string> warnings;
    std::vector<std::string> traces;
    std::vector<std::pair<std::uint64_t, std::string>> done;

    /// The peer of the chardev: what it got, and after how many bytes it takes no more, or goes away.
    bool connected = true;
    std::string sent;
    std::size_t at_a_time = std::string::npos;
    std::size_t stalls_after = std::string::npos;
    std::size_t leaves_after = std::string::npos;
    bool can_disconnect = true;
    int disconnects = 0;
};

} // namespace kmd::test
