// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

/// Runs in the child and makes only async-signal-safe calls. Writes errno to `report` if a call fails.
[[noreturn]] void exec_child(char* const* argv, char* const* environment, const Descriptors& descriptors,
                             pid_t parent, int report)
{
    const auto move = [](int from, int to) { return from < 0 || ::dup2(from, to) >= 0; };
    sigset_t none;
    sigemptyset(&none);
    if (::sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
        ::getppid() == parent && move(descriptors.input, STDIN_FILENO) &&
        move(descriptors.output, STDOUT_FILENO) && move(descriptors.error, STDERR_FILENO) &&
        (descriptors.extra < 0 || ::fcntl(descriptors.extra, F_SETFD, 0) == 0)) {
        ::execve(argv[0], argv, environment);
    }
    const int cause = errno;
    (void)!::write(report, &cause, sizeof(cause));
    ::_exit(127);
}

/// The strings of kmdump's own environment, with `preload` in front of LD_PRELOAD.
std::vector<std::string> environment_with(const std::string& preload)
{
    constexpr std::string_view kName = "LD_PRELOAD=";
    std::vector<std::string> variables;
    std::string others;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        if (!preload.empty() && text.starts_with(kName)) {
            others = text.substr(kName.size());
        } else {
            variables.emplace_back(text);
        }
    }
    if (!preload.empty()) {
        variables.push_back(std::string(kName) + preload + (others.empty() ? "" : ":" + others));
    }
    return variables;
}

/// A null-terminated array of pointers to the strings, which must outlive it.
std::vector<char*> pointers_to(const std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (const auto& text : strings) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

std::string ExitStatus::text() const
{
    return signal == 0 ? "exit status " + std::to_string(status)
                       : "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

kmd::Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments,
                                              const Surroundings& surroundings)
{
    const auto argv = pointers_to(arguments);
    const auto variables = environment_with(surroundings.preload);
    const auto environment = pointers_to(variables);

    std::array<int, 2> report{};
    if (::pipe2(report.data(), O_CLOEXEC) != 0) {
        return kmd::Error{"cannot make a pipe: " + kmd::os_error()};
    }
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
        exec_child(argv.data(), environment.data(), surroundings.descriptors, parent, report[1]);
    }
    int cause = errno;
    ::close(report[1]);
    const bool failed = pid < 0 || ::read(report[0], &cause, sizeof(cause)) == sizeof(cause);
    ::close(report[0]);
    if (failed) {
        if (pid > 0) {
            ::waitpid(pid, nullptr, 0);
        }
        return kmd::Error{"cannot run " + arguments[0] + ": " + std::strerror(cause)};
    }
    // <sys/pidfd.h> of glibc 2.36 does not compile as C++.
    ChildProcess child(pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!child.pidfd_) {
        return kmd::Error{"cannot watch a process: " + kmd::os_error()};
    }
    (void)::fcntl(child.pidfd_.get(), F_SETFD, FD_CLOEXEC);
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), ended_(other.ended_)
{
}

ChildProcess::~ChildProcess()
{
    if (pid_ > 0 && !ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::optional<ExitStatus> ChildProcess::wait(int milliseconds)
{
    if (!ended_) {
        pollfd ready{pidfd_.get(), POLLIN, 0};
        int wait_status = 0;
        if (::poll(&ready, 1, milliseconds) > 0 && ::waitpid(pid_, &wait_status, 0) == pid_) {
            ended_ = WIFEXITED(wait_status) ? ExitStatus{WEXITSTATUS(wait_status), 0}
                                            : ExitStatus{0, WTERMSIG(wait_status)};
        }
    }
    return ended_;
}

void ChildProcess::send_signal(int signal) const
{
    if (!ended_) {
        ::kill(pid_, signal);
    }
}

kmd::Result<std::string> output_of(const std::vector<std::string>& arguments)
{
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return kmd::Error{"cannot make a pipe: " + kmd::os_error()};
    }
    auto child = ChildProcess::start(arguments, {.descriptors = {.output = pipe[1]}});
    ::close(pipe[1]);
    std::string output;
    if (child) {
        std::array<char, 4096> bytes;
        ssize_t count = 0;
        while ((count = ::read(pipe[0], bytes.data(), bytes.size())) > 0 || (count < 0 && errno == EINTR)) {
            output.append(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
        }
    }
    ::close(pipe[0]);
    if (!child) {
        return child.error();
    }
    const auto ended = child.value().wait(-1);
    if (!ended || !ended->good()) {
        return kmd::Error{arguments[0] + " ended with " + (ended ? ended->text() : "an unknown status")};
    }
    return output;
}

} // namespace kmdump
