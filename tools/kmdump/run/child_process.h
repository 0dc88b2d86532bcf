// SPDX-License-Identifier: GPL-2.0-or-later
//
// A program that kmdump starts and that does not outlive it.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

struct ExitStatus {
    int status = 0; ///< 0 if a signal ended it
    int signal = 0; ///< 0 if it exited

    bool good() const { return status == 0 && signal == 0; }

    /// "exit status 1" or "signal 9 (Killed)".
    std::string text() const;
};

/// File descriptors for the program. The caller keeps ownership. -1: inherit that of kmdump.
struct Descriptors {
    int input = -1;
    int output = -1;
    int error = -1;
    int extra = -1; ///< inherited under its own number
};

/// What a program gets besides its arguments.
struct Surroundings {
    Descriptors descriptors;
    std::string preload; ///< a file to add in front of LD_PRELOAD; empty: none
};

class ChildProcess
{
  public:
    /// Runs the file `arguments[0]`. The kernel kills it when kmdump ends in any way.
    static kmd::Result<ChildProcess> start(const std::vector<std::string>& arguments,
                                           const Surroundings& surroundings);

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    /// Kills the program.
    ~ChildProcess();

    /// Becomes readable for poll() when the program ends. This object keeps ownership.
    int descriptor() const { return pidfd_.get(); }

    /// The exit status if the program ends within this time; -1 waits without a limit.
    std::optional<ExitStatus> wait(int milliseconds);

    void send_signal(int signal) const;

  private:
    ChildProcess(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

    pid_t pid_ = -1;
    kmd::Descriptor pidfd_;
    std::optional<ExitStatus> ended_;
};

/// Runs a program and returns its standard output. An error unless it exits with status 0.
kmd::Result<std::string> output_of(const std::vector<std::string>& arguments);

} // namespace kmdump
