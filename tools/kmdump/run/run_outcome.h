// SPDX-License-Identifier: GPL-2.0-or-later
//
// What has become of a guest, judged by what was seen of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// A file or folder that the controller left.
struct TakenDump {
    std::string path;
    std::string reason; ///< as its sidecar has it; empty when there is no sidecar
    bool complete = true;

    /// Whether a guest that goes on is out of the question: any reason but `request` and `host`.
    bool is_of_a_crash() const { return reason != "request" && reason != "host"; }
};

/// How the run came to its end.
enum class End {
    kPoweredOff,     ///< by the guest
    kReset,          ///< by the guest, or by a watchdog
    kPanicked,       ///< QEMU ended it because of pvpanic
    kStoodStill,     ///< after a dump of a panic; kmdump ended QEMU
    kTimeout,        ///< kmdump ended QEMU
    kEndedByTheHost, ///< somebody else ended QEMU in good order
    kQemuFailed,     ///< QEMU ended, or did something else, without a word from the guest
    kSignal,         ///< kmdump itself was told to end
};

/// What was seen of a run.
struct RunFacts {
    End end = End::kQemuFailed;
    bool panicked = false;        ///< pvpanic said so
    bool console_panic = false;   ///< the console has the line of a panic, which a program can write as well
    bool ever_registered = false; ///< the guest put a region into the table
    bool registered_now = false;  ///< and some are still there
    std::vector<TakenDump> dumps; ///< in the order of their names
    std::string last_error;       ///< why the last attempt left no complete dump
    std::string host_error;       ///< of End::kQemuFailed and kTimeout: one sentence
    int signal = 0;               ///< of End::kSignal
    std::uint64_t seconds = 0;    ///< of End::kTimeout
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

/// The dump that tells most: the last complete one of the crash, or of the hang; otherwise the last.
std::optional<TakenDump> telling_dump(const std::vector<TakenDump>& dumps);

} // namespace kmdump
