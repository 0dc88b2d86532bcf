// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/qemu_session.h"

#include "kmdump/run/signals_held.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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

using nlohmann::json;
using namespace nlohmann::literals;
using std::chrono::milliseconds;

/// Maximum size of a QMP message. The region table, which the guest controls, can make one long.
constexpr std::size_t kLongestMessage = 64 << 20;

/// How long QEMU may take to quit before it is killed.
constexpr milliseconds kQuitTimeout{10000};

int milliseconds_until(QemuSession::Clock::time_point deadline)
{
    const auto left = std::chrono::ceil<milliseconds>(deadline - QemuSession::Clock::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 60000));
}

void close_all(std::initializer_list<int> descriptors)
{
    for (const int descriptor : descriptors) {
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    }
}

} // namespace

kmd::Result<QemuSession> QemuSession::start(std::vector<std::string> arguments, const std::string& preload,
                                            int input, int output, std::ostream& log, int log_file)
{
    std::array<int, 2> qmp{-1, -1};
    std::array<int, 2> error{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp.data()) != 0 ||
        ::pipe2(error.data(), O_CLOEXEC) != 0 || ::fcntl(error[0], F_SETFL, O_NONBLOCK) != 0) {
        const std::string cause = std::strerror(errno);
        close_all({qmp[0], qmp[1], log_file});
        return kmd::Error{"cannot make a channel to QEMU: " + cause};
    }
    arguments.insert(arguments.end(), {"-chardev", "socket,id=kmdump-qmp,fd=" + std::to_string(qmp[1]),
                                       "-mon", "chardev=kmdump-qmp,mode=control"});
    auto child = ChildProcess::start(
        arguments, {.descriptors = {.input = input, .output = output, .error = error[1], .extra = qmp[1]},
                    .preload = preload});
    close_all({qmp[1], error[1]});
    if (!child) {
        close_all({qmp[0], error[0], log_file});
        return child.error();
    }
    return QemuSession(std::move(child.value()), qmp[0], error[0], log, log_file);
}

QemuSession::QemuSession(ChildProcess child, int qmp, int error, std::ostream& log, int log_file)
    : child_(std::move(child)), qmp_(qmp), error_(error), log_(&log), log_file_(log_file)
{
    const sigset_t set = SignalsHeld::set();
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

QemuSession::QemuSession(QemuSession&& other) noexcept
    : child_(std::move(other.child_)), qmp_(std::exchange(other.qmp_, -1)),
      error_(std::exchange(other.error_, -1)), signals_(std::exchange(other.signals_, -1)),
      log_(std::exchange(other.log_, nullptr)), log_file_(std::exchange(other.log_file_, -1)),
      buffered_(std::move(other.buffered_)), line_(std::move(other.line_)),
      last_message_(std::move(other.last_message_)), events_(std::move(other.events_)),
      answer_(std::move(other.answer_)), ended_(other.ended_), signal_(other.signal_)
{
}

QemuSession::~QemuSession()
{
    if (log_ == nullptr) {
        return;
    }
    try {
        end();
    } catch (const std::exception&) {
        child_.send_signal(SIGKILL);
    }
    close_all({qmp_, error_, signals_, log_file_});
}

void QemuSession::end()
{
    if (!ended_) {
        constexpr std::string_view kQuit = "{\"execute\":\"quit\"}\n";
        if (signal_ != 0 || ::send(qmp_, kQuit.data(), kQuit.size(), MSG_NOSIGNAL) < 0) {
            child_.send_signal(SIGTERM);
        }
        ends_within(kQuitTimeout);
        child_.send_signal(SIGKILL);
    }
    while (take_log()) {
    }
    if (!line_.empty()) {
        *log_ << line_ << std::endl;
    }
}

bool QemuSession::ends_within(milliseconds time)
{
    // pump() keeps reading QEMU's messages, which could fill the pipe and block it.
    const auto deadline = Clock::now() + time;
    while (!ended_ && pump(deadline)) {
    }
    return ended_.has_value();
}

std::optional<json> QemuSession::next_event(Clock::time_point until)
{
    while (events_.empty() && !over()) {
        if (!pump(until)) {
            return std::nullopt;
        }
    }
    if (events_.empty()) {
        return std::nullopt;
    }
    json event = std::move(events_.front());
    events_.pop_front();
    return event;
}

kmd::Result<json> QemuSession::execute(const std::string& command, const json& arguments, milliseconds within)
{
    const std::string text = json{{"execute", command}, {"arguments", arguments}}.dump() + "\n";
    if (::send(qmp_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
        return kmd::Error{"QEMU is no longer listening"};
    }
    answer_.reset();
    const auto deadline = Clock::now() + within;
    while (!answer_) {
        if (over() || !pump(deadline)) {
            return kmd::Error{"QEMU did not answer " + command};
        }
    }
    if (answer_->contains("error")) {
        const auto desc = "/error/desc"_json_pointer;
        const bool described = answer_->contains(desc) && answer_->at(desc).is_string();
        return kmd::Error{described ? answer_->at(desc).get<std::string>() : "QEMU refused " + command};
    }
    return answer_->value("return", json());
}

bool QemuSession::pump(Clock::time_point until)
{
    std::array<pollfd, 4> waiting{
        {{error_, POLLIN, 0}, {qmp_, POLLIN, 0}, {child_.descriptor(), POLLIN, 0}, {signals_, POLLIN, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), milliseconds_until(until));
    if (ready < 0 && errno != EINTR) {
        return false;
    }
    if (ready <= 0) {
        return Clock::now() < until;
    }
    if (waiting[0].revents != 0 && !take_log()) {
        ::close(std::exchange(error_, -1));
    }
    if (waiting[1].revents != 0) {
        take_messages();
    }
    if (waiting[2].revents != 0) {
        ended_ = child_.wait(0);
    }
    signalfd_siginfo info{};
    if (waiting[3].revents != 0 && ::read(signals_, &info, sizeof(info)) == sizeof(info)) {
        signal_ = static_cast<int>(info.ssi_signo);
    }
    return true;
}

void QemuSession::take_messages()
{
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(qmp_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0 || buffered_.size() > kLongestMessage) {
        ::close(std::exchange(qmp_, -1));
        child_.send_signal(SIGTERM);
    }
    if (count <= 0) {
        return;
    }
    buffered_.append(bytes.data(), static_cast<std::size_t>(count));
    std::size_t end = 0;
    while ((end = buffered_.find('\n')) != std::string::npos) {
        json message = json::parse(buffered_.substr(0, end), nullptr, false);
        buffered_.erase(0, end + 1);
        if (!message.is_object()) {
            continue;
        }
        if (message.contains("event")) {
            events_.push_back(std::move(message));
        } else if (message.contains("return") || message.contains("error")) {
            answer_ = std::move(message);
        }
    }
}

bool QemuSession::take_log()
{
    std::array<char, 4096> bytes;
    const ssize_t count = error_ < 0 ? 0 : ::read(error_, bytes.data(), bytes.size());
    if (count <= 0) {
        return false;
    }
    (void)!::write(log_file_, bytes.data(), static_cast<std::size_t>(count));
    line_.append(bytes.data(), static_cast<std::size_t>(count));
    std::size_t end = 0;
    while ((end = line_.find('\n')) != std::string::npos) {
        last_message_ = line_.substr(0, end);
        *log_ << last_message_ << std::endl;
        line_.erase(0, end + 1);
    }
    return true;
}

} // namespace kmdump
