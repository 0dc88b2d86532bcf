// SPDX-License-Identifier: GPL-2.0-or-later
//
// A program that a test runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace support
{

/// How a program ended and what it printed.
struct Finished {
    /// Exit status; 128 + the signal when one ended it.
    int status = 0;
    /// Standard output and standard error together.
    std::string output;
};

/// A running program. It is killed when the object goes out of scope.
class Subprocess
{
  public:
    /// `arguments[0]` is searched in PATH. Standard input and output are pipes to the test, standard
    /// error goes to `error_file`.
    Subprocess(const std::vector<std::string>& arguments, const std::string& error_file);
    Subprocess(const Subprocess&) = delete;
    Subprocess& operator=(const Subprocess&) = delete;
    ~Subprocess();

    /// Writes all of `text` to its standard input.
    void write(const std::string& text);

    /// The next line of its standard output, without the newline; none at its end or after a time.
    std::optional<std::string> read_line(std::chrono::milliseconds at_most);

    /// Its exit status, as Finished has it; none when it runs on after that time.
    std::optional<int> wait(std::chrono::milliseconds at_most);

    pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    std::string buffered_;
    std::optional<int> status_;
};

/// Runs a program to its end, at most that long. A program that takes longer is killed.
Finished run(const std::vector<std::string>& arguments,
             std::chrono::milliseconds at_most = std::chrono::seconds(60));

} // namespace support
