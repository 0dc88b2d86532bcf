// SPDX-License-Identifier: GPL-2.0-or-later
//
// Judges how a run ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// A dump, a file or a folder, that the controller wrote.
struct TakenDump {
    std::string path;
    std::string reason; ///< from its sidecar; empty without one
    bool complete = true;

    /// Whether it may be of a crash: every reason except `request` and `host`, after which the guest goes on.
    bool is_crash_dump() const { return reason != "request" && reason != "host"; }
};

/// How the run ended.
enum class End {
    kPoweredOff,     ///< by the guest
    kReset,          ///< by the guest, or by a watchdog
    kPanicked,       ///< QEMU ended it because of pvpanic
    kHungAfterPanic, ///< kmdump ended QEMU after the dump of a panic
    kTimeout,        ///< kmdump ended QEMU after the time limit
    kEndedByTheHost, ///< somebody else made QEMU quit
    kQemuFailed,     ///< QEMU ended, or did not answer, without a shutdown of the guest
    kSignal,         ///< a signal ended kmdump
};

/// Observations of a run.
struct RunFacts {
    End end = End::kQemuFailed;
    bool panicked = false;        ///< reported by pvpanic
    bool console_panic = false;   ///< the console has a panic message, which a program can write, too
    bool ever_registered = false; ///< the guest registered a region
    bool registered_now = false;  ///< and a region is still registered
    std::vector<TakenDump> dumps; ///< in the order of their names
    std::string last_error;       ///< why the last attempt left no complete dump
    std::string host_error;       ///< one sentence, for End::kQemuFailed and kTimeout
    int signal = 0;               ///< for End::kSignal
    std::uint64_t seconds = 0;    ///< for End::kTimeout: the time limit
};

/// Exit statuses of `kmdump run`, besides kOk and kUsageError.
inline constexpr int kCrashedWithDump = 3;
inline constexpr int kCrashedWithoutDump = 4;
inline constexpr int kTimedOut = 5;
inline constexpr int kQemuError = 6;
/// Plus the number of the signal that ended kmdump.
inline constexpr int kSignalled = 128;

struct Outcome {
    int status = 0;
    std::string name;     ///< one word for programs, such as "crashed-with-dump"
    std::string sentence; ///< for people, without a final full stop
};

Outcome judge(const RunFacts& facts);

/// The dump to look at first: the last complete one of a crash or hang; otherwise the last one.
std::optional<TakenDump> primary_dump(const std::vector<TakenDump>& dumps);

} // namespace kmdump
