// SPDX-License-Identifier: GPL-2.0-or-later
//
// A running QEMU and the three things that can happen to it: it says something over QMP, it ends, or
// kmdump is told to end.
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

    /// `arguments` without those of the QMP channel, which are added. `input` and `output`: QEMU's
    /// standard input and output; -1: those of kmdump. What QEMU prints on its standard error goes
    /// to `log` and to `log_file`, which is closed in the end.
    static kmd::Result<QemuSession> start(std::vector<std::string> arguments, int input, int output,
                                          std::ostream& log, int log_file);

    QemuSession(QemuSession&& other) noexcept;
    QemuSession& operator=(QemuSession&&) = delete;
    /// Ends QEMU: asks it first, kills it when it does not listen.
    ~QemuSession();

    /// The next event of QMP; none when `until` passed, QEMU ended, or a signal came.
    std::optional<nlohmann::json> next_event(Clock::time_point until);

    /// What a command returns. The error has QEMU's words, or says that no answer came.
    kmd::Result<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments,
                                        std::chrono::milliseconds within);

    /// Whether QEMU ends by itself in that time.
    bool ends_within(std::chrono::milliseconds time);

    /// Set once QEMU has ended by itself.
    const std::optional<ExitStatus>& ended() const { return ended_; }

    /// The signal (SIGINT, SIGTERM, SIGHUP) that came; 0: none.
    int signal() const { return signal_; }

    /// The last line that QEMU printed on its standard error.
    const std::string& last_words() const { return last_words_; }

  private:
    QemuSession(ChildProcess child, int qmp, int error, std::ostream& log, int log_file);

    /// Waits until something happens or `until`. False in the latter case, or when nothing can
    /// happen any more.
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
    std::string last_words_;
    std::deque<nlohmann::json> events_;
    std::optional<nlohmann::json> answer_;
    std::optional<ExitStatus> ended_;
    int signal_ = 0;
};

} // namespace kmdump
