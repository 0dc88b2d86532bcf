// SPDX-License-Identifier: GPL-2.0-or-later
//
// The signals that end a program, put off until somebody reads them.
#pragma once

#include <csignal>
#include <optional>
#include <termios.h>

namespace kmdump
{

/// SIGINT, SIGTERM and SIGHUP wait to be read as long as this object lives. The terminal at standard
/// input, if there is one, then gets back the modes it had.
class SignalsHeld
{
  public:
    SignalsHeld();
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld();

    /// The signals that wait to be read.
    static sigset_t set();

    /// Whether standard input is a terminal.
    bool has_terminal() const { return terminal_.has_value(); }

  private:
    sigset_t before_{};
    std::optional<termios> terminal_;
    int flags_ = 0;
};

} // namespace kmdump
