// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/run_outcome.h"

#include "kmdump/core/exit_status.h"

#include <algorithm>

namespace kmdump
{

namespace
{

/// Whether a reset was orderly: the guest's driver unregisters its regions first.
bool is_orderly_restart(const RunFacts& facts)
{
    return facts.end == End::kReset && facts.ever_registered && !facts.registered_now;
}

const TakenDump* last_crash_dump(const std::vector<TakenDump>& dumps)
{
    const auto found = std::find_if(dumps.rbegin(), dumps.rend(), [](const TakenDump& dump) {
        return dump.complete && dump.is_crash_dump();
    });
    return found == dumps.rend() ? nullptr : &*found;
}

std::string what_happened(const RunFacts& facts, const TakenDump* dump)
{
    if (facts.panicked || facts.end == End::kHungAfterPanic || (dump != nullptr && dump->reason == "panic")) {
        return "the guest panicked";
    }
    if (dump != nullptr && dump->reason == "abandoned") {
        return "a kernel of the guest ended without unregistering its regions";
    }
    if (facts.console_panic) {
        return "according to its console, the guest panicked";
    }
    if (facts.end == End::kReset) {
        return "the guest was reset unexpectedly";
    }
    if (facts.end == End::kPoweredOff) {
        return "the guest powered off unexpectedly";
    }
    return "the guest crashed";
}

std::string why_no_dump(const RunFacts& facts)
{
    if (!facts.last_error.empty()) {
        return facts.last_error;
    }
    return facts.ever_registered ? "no attempt was made"
                                 : "the guest registered nothing, and no Linux kernel was found in its "
                                   "memory, or was looked for "
                                   "(linux=off)";
}

Outcome judge_crash(const RunFacts& facts)
{
    const TakenDump* const dump = last_crash_dump(facts.dumps);
    const std::string happened = what_happened(facts, dump);
    if (dump != nullptr) {
        return {kCrashedWithDump, "crashed-with-dump", happened};
    }
    return {kCrashedWithoutDump, "crashed-without-dump",
            happened + " and left no dump: " + why_no_dump(facts)};
}

} // namespace

std::optional<TakenDump> primary_dump(const std::vector<TakenDump>& dumps)
{
    if (const TakenDump* const dump = last_crash_dump(dumps)) {
        return *dump;
    }
    return dumps.empty() ? std::nullopt : std::optional(dumps.back());
}

Outcome judge(const RunFacts& facts)
{
    if (facts.end == End::kSignal) {
        return {kSignalled + facts.signal, "interrupted", "ended by signal " + std::to_string(facts.signal)};
    }
    if (facts.end == End::kTimeout && !facts.panicked) {
        return {kTimedOut, "timeout",
                "the guest did not end within " + std::to_string(facts.seconds) + " s" +
                    (facts.host_error.empty() ? "" : "; no dump could be taken of it: " + facts.host_error)};
    }
    const bool crashed = facts.panicked || facts.end == End::kPanicked || facts.end == End::kHungAfterPanic ||
                         std::any_of(facts.dumps.begin(), facts.dumps.end(),
                                     [](const TakenDump& dump) { return dump.is_crash_dump(); }) ||
                         (facts.end == End::kReset && !is_orderly_restart(facts)) ||
                         (facts.console_panic && facts.end != End::kEndedByTheHost);
    if (crashed) {
        return judge_crash(facts);
    }
    switch (facts.end) {
    case End::kPoweredOff:
        return {kOk, "no-crash", "the guest powered off"};
    case End::kReset:
        return {kOk, "no-crash", "the guest restarted in good order"};
    case End::kEndedByTheHost:
        return {kQemuError, "qemu-error", "somebody on the host ended QEMU"};
    default:
        return {kQemuError, "qemu-error", facts.host_error};
    }
}

} // namespace kmdump
