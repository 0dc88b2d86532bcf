// SPDX-License-Identifier: GPL-2.0-or-later
//
// One death, one dump: which of the things that happen to a guest is dumped, and which is the end of what
// is on file already. Specification section 7.
#pragma once

#include "common/kmemdump_md_regs.h"

namespace kmd
{

class Incident
{
  public:
    /// Whether something with this reason takes a dump: not when the dump of the incident has been taken.
    bool takes_dump(kmd_reason reason) const;

    /// A dump with this reason reached the host, as far as it did.
    void dumped(kmd_reason reason);

    /// The machine was reset: what comes now is another kernel's.
    void end() { state_ = State::kNone; }

    /// For a snapshot or another host: a number below kStates.
    unsigned state() const { return static_cast<unsigned>(state_); }
    static constexpr unsigned kStates = 3;
    /// `state`: what state() gave.
    void restore(unsigned state) { state_ = static_cast<State>(state); }

  private:
    enum class State {
        /// Nothing that ended the guest's work is on file.
        kNone,
        /// The cause is on file.
        kCause,
        /// The host took the guest for hung, and that is on file. The guest itself has said nothing yet.
        kHang,
    };

    State state_ = State::kNone;
};

} // namespace kmd
