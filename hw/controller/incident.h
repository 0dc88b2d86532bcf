// SPDX-License-Identifier: GPL-2.0-or-later
//
// One incident, one dump: decides which events are dumped and which only follow from an event that has a dump
// already. Specification section 7.
#pragma once

#include "common/kmemdump_md_regs.h"

namespace kmd
{

class Incident
{
  public:
    /// Whether an event with this reason takes a dump: not if the incident already has its dump.
    bool takes_dump(kmd_reason reason) const;

    /// A dump with this reason was written, completely or in part.
    void dumped(kmd_reason reason);

    /// The machine was reset, which starts another kernel.
    void end() { state_ = State::kNone; }

    /// For a snapshot or a migration: a number below kStates.
    unsigned state() const { return static_cast<unsigned>(state_); }
    static constexpr unsigned kStates = 3;
    /// `state`: a value of state().
    void restore(unsigned state) { state_ = static_cast<State>(state); }

  private:
    enum class State {
        /// There is no dump of this incident.
        kNone,
        /// There is a dump of the cause.
        kCause,
        /// There is a dump because the host suspected a hang; the guest has not reported a cause.
        kHang,
    };

    State state_ = State::kNone;
};

} // namespace kmd
