// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/signals_held.h"

#include <fcntl.h>
#include <unistd.h>

namespace kmdump
{

sigset_t SignalsHeld::set()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaddset(&set, signal);
    }
    return set;
}

SignalsHeld::SignalsHeld()
{
    termios modes{};
    if (::tcgetattr(STDIN_FILENO, &modes) == 0) {
        terminal_ = modes;
        flags_ = ::fcntl(STDIN_FILENO, F_GETFL);
    }
    const sigset_t held = set();
    ::sigprocmask(SIG_BLOCK, &held, &before_);
}

SignalsHeld::~SignalsHeld()
{
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    if (terminal_) {
        ::tcsetattr(STDIN_FILENO, TCSANOW, &*terminal_);
        (void)::fcntl(STDIN_FILENO, F_SETFL, flags_);
    }
}

} // namespace kmdump
