// SPDX-License-Identifier: GPL-2.0-or-later
#include "subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace support
{

namespace
{

using Clock = std::chrono::steady_clock;

int decode(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

int milliseconds_until(Clock::time_point deadline)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

/// Starts a program on three given descriptors.
pid_t spawn(const std::vector<std::string>& arguments, int in, int out, int error)
{
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    pid_t pid = -1;
    const int failure = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        throw std::runtime_error("cannot run " + arguments[0]);
    }
    return pid;
}

} // namespace

Subprocess::Subprocess(const std::vector<std::string>& arguments, const std::string& error_file)
{
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    const int error = ::open(error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0 || error < 0) {
        throw std::runtime_error("cannot prepare pipes for " + arguments[0]);
    }
    std::signal(SIGPIPE, SIG_IGN);
    pid_ = spawn(arguments, in[0], out[1], error);
    ::close(in[0]);
    ::close(out[1]);
    ::close(error);
    input_ = in[1];
    output_ = out[0];
}

Subprocess::~Subprocess()
{
    if (!status_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(input_);
    ::close(output_);
}

void Subprocess::write(const std::string& text)
{
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t now = ::write(input_, text.data() + done, text.size() - done);
        if (now < 0 && errno != EINTR) {
            throw std::runtime_error("the program does not read its input any more");
        }
        done += now > 0 ? static_cast<std::size_t>(now) : 0;
    }
}

std::optional<std::string> Subprocess::read_line(std::chrono::milliseconds at_most)
{
    const auto deadline = Clock::now() + at_most;
    for (;;) {
        if (const auto end = buffered_.find('\n'); end != std::string::npos) {
            std::string line = buffered_.substr(0, end);
            buffered_.erase(0, end + 1);
            return line;
        }
        pollfd ready{output_, POLLIN, 0};
        if (::poll(&ready, 1, milliseconds_until(deadline)) <= 0) {
            return std::nullopt;
        }
        std::array<char, 4096> bytes;
        const ssize_t now = ::read(output_, bytes.data(), bytes.size());
        if (now <= 0) {
            return std::nullopt;
        }
        buffered_.append(bytes.data(), static_cast<std::size_t>(now));
    }
}

std::optional<int> Subprocess::wait(std::chrono::milliseconds at_most)
{
    const auto deadline = Clock::now() + at_most;
    while (!status_) {
        int wait_status = 0;
        if (::waitpid(pid_, &wait_status, WNOHANG) == pid_) {
            status_ = decode(wait_status);
        } else if (Clock::now() >= deadline) {
            break;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    return status_;
}

Finished run(const std::vector<std::string>& arguments, std::chrono::milliseconds at_most)
{
    std::FILE* output = std::tmpfile();
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output == nullptr || null < 0) {
        throw std::runtime_error("cannot make a temporary file");
    }
    const pid_t pid = spawn(arguments, null, ::fileno(output), ::fileno(output));
    ::close(null);

    const auto deadline = Clock::now() + at_most;
    int wait_status = 0;
    while (::waitpid(pid, &wait_status, WNOHANG) == 0) {
        if (Clock::now() >= deadline) {
            ::kill(pid, SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

    Finished finished;
    finished.status = decode(wait_status);
    std::rewind(output);
    std::array<char, 4096> bytes;
    while (const auto count = std::fread(bytes.data(), 1, bytes.size(), output)) {
        finished.output.append(bytes.data(), count);
    }
    std::fclose(output);
    return finished;
}

} // namespace support
