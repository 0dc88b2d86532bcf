// SPDX-License-Identifier: GPL-2.0-or-later
//
// Blocks the signals that would end kmdump, so that they can be read from a signalfd.
#pragma once

#include <csignal>
#include <optional>
#include <termios.h>

namespace kmdump
{

/// Blocks SIGINT, SIGTERM and SIGHUP during its lifetime. The destructor also restores the modes of the
/// terminal at standard input, if there is one.
class SignalsHeld
{
  public:
    SignalsHeld();
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld();

    /// The blocked signals.
    static sigset_t set();

    /// Whether standard input is a terminal.
    bool has_terminal() const { return terminal_.has_value(); }

  private:
    sigset_t before_{};
    std::optional<termios> terminal_;
    int flags_ = 0;
};

} // namespace kmdump
