// SPDX-License-Identifier: GPL-2.0-or-later
//
// A running QEMU. Waits for QMP events, for its end, and for signals to kmdump.
#pragma once

#include "common/result.h"
#include "kmdump/run/child_process.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace kmdump
{

class QemuSession
{
  public:
    using Clock = std::chrono::steady_clock;

    /// Starts QEMU with `arguments` and a QMP channel. `input` and `output` become its standard input and
    /// output; -1 inherits those of kmdump. Its standard error goes to `log`, which must outlive this object,
    /// and to the descriptor `log_file`, of which this takes ownership, also on error. `preload`: a file for
    /// LD_PRELOAD; empty: none.
    static kmd::Result<QemuSession> start(std::vector<std::string> arguments, const std::string& preload,
                                          int input, int output, std::ostream& log, int log_file);

    QemuSession(QemuSession&& other) noexcept;
    QemuSession& operator=(QemuSession&&) = delete;
    /// Asks QEMU to quit, and kills it if it does not.
    ~QemuSession();

    /// The next QMP event. Nothing if `until` has passed, QEMU has ended, or a signal came.
    std::optional<nlohmann::json> next_event(Clock::time_point until);

    /// Executes a QMP command. An error has QEMU's description, or says that there was no answer.
    kmd::Result<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments,
                                        std::chrono::milliseconds within);

    /// Waits for QEMU to end by itself. True if it does within `time`.
    bool ends_within(std::chrono::milliseconds time);

    /// Set once QEMU has ended by itself.
    const std::optional<ExitStatus>& ended() const { return ended_; }

    /// The signal (SIGINT, SIGTERM, SIGHUP) that kmdump received; 0: none.
    int signal() const { return signal_; }

    /// The last line that QEMU printed on its standard error.
    const std::string& last_message() const { return last_message_; }

  private:
    QemuSession(ChildProcess child, int qmp, int error, std::ostream& log, int log_file);

    /// Waits for an event or for `until`, and handles what is ready. False if `until` has passed or poll()
    /// failed.
    bool pump(Clock::time_point until);
    void take_messages();
    bool take_log();
    void end();
    bool over() const { return ended_ || signal_ != 0; }

    ChildProcess child_;
    int qmp_ = -1;
    int error_ = -1;
    int signals_ = -1;
    std::ostream* log_;
    int log_file_ = -1;
    std::string buffered_;
    std::string line_;
    std::string last_message_;
    std::deque<nlohmann::json> events_;
    std::optional<nlohmann::json> answer_;
    std::optional<ExitStatus> ended_;
    int signal_ = 0;
};

} // namespace kmdump
