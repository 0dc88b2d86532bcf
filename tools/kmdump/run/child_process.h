// SPDX-License-Identifier: GPL-2.0-or-later
//
// A program that kmdump starts, and that does not outlive it.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// How a program ended.
struct ExitStatus {
    int status = 0; ///< 0 when a signal ended it
    int signal = 0; ///< 0 when it ended by itself

    bool good() const { return status == 0 && signal == 0; }

    /// "exit status 1" or "signal 9 (Killed)".
    std::string text() const;
};

/// File descriptors that the program gets; they stay the caller's. -1: what kmdump itself has.
struct Descriptors {
    int input = -1;
    int output = -1;
    int error = -1;
    int extra = -1; ///< passed on under its own number
};

class ChildProcess
{
  public:
    /// Runs the file `arguments[0]`. It is killed when kmdump ends, however that happens.
    static kmd::Result<ChildProcess> start(const std::vector<std::string>& arguments,
                                           const Descriptors& descriptors);

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    /// Kills it.
    ~ChildProcess();

    /// Readable, as poll() has it, once the program has ended. Stays owned by this object.
    int descriptor() const { return pidfd_.get(); }

    /// Its end when it comes within so many milliseconds; -1: however long it takes.
    std::optional<ExitStatus> wait(int milliseconds);

    void send_signal(int signal) const;

  private:
    ChildProcess(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

    pid_t pid_ = -1;
    kmd::Descriptor pidfd_;
    std::optional<ExitStatus> ended_;
};

/// What a program prints on its standard output, once it has ended well.
kmd::Result<std::string> output_of(const std::vector<std::string>& arguments);

} // namespace kmdump
