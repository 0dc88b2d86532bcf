// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_run.h"

#include "kmdump/cli/cli.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/kernel/printk_log.h"
#include "kmdump/run/guest_machine.h"
#include "kmdump/run/qemu_plugin.h"
#include "kmdump/run/qemu_session.h"
#include "kmdump/run/run_folder.h"
#include "kmdump/run/run_outcome.h"
#include "kmdump/run/signals_held.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace kmdump
{

namespace
{

using nlohmann::json;
using Clock = QemuSession::Clock;
using std::chrono::seconds;

constexpr const char* kId = "kmdump";

/// After the dump of a panic the guest has this long for its last lines and to end by itself.
constexpr seconds kPanicGrace{5};
/// Time limit of a dump or an answer of QEMU, for a busy machine.
constexpr seconds kAnswerTimeout{60};

/// Escapes a value of a QEMU option, which a comma would end.
std::string with_commas_doubled(const std::string& text)
{
    std::string result;
    for (const char c : text) {
        result.append(c == ',' ? 2 : 1, c);
    }
    return result;
}

std::vector<std::string> arguments_for(const RunOptions& options, const GuestMachine& machine,
                                       const QemuAndPlugin& found, const RunFolder& folder, bool quiet)
{
    std::vector<std::string> arguments = {
        found.qemu, "-M", machine.machine, "-cpu", options.cpu.empty() ? machine.cpu : options.cpu, "-smp",
        std::to_string(options.cpus), "-m", options.memory, "-nic", "none", "-display", "none", "-monitor",
        "none",
        // At its end the machine pauses, so that its state can be queried. After a panic it runs on to that
        // end: by then the controller has its dump.
        "-action", "reboot=shutdown,shutdown=pause,panic=none", "-chardev",
        std::string(quiet ? "null" : "stdio") +
            ",id=kmdump-console,logfile=" + with_commas_doubled(folder.console()),
        "-serial", "chardev:kmdump-console", "-device",
        std::string(machine.device) + ",id=" + kId + ",event=on,output=" +
            with_commas_doubled(folder.path()) + (options.properties.empty() ? "" : "," + options.properties),
        "-kernel", options.kernel, "-append",
        std::string("console=") + machine.console + " panic=-1" +
            (options.append.empty() ? "" : " " + options.append)};
    if (found.way == WayIn::kPlugin) {
        arguments.insert(arguments.end(), {"-plugin", "file=" + with_commas_doubled(found.plugin)});
    }
    if (!options.initrd.empty()) {
        arguments.insert(arguments.end(), {"-initrd", options.initrd});
    }
    arguments.insert(arguments.end(), options.qemu_options.begin(), options.qemu_options.end());
    return arguments;
}

/// A string property of the controller; empty if QEMU does not answer.
std::string property(QemuSession& session, const char* name)
{
    const auto value = session.execute(
        "qom-get", {{"path", std::string("/machine/peripheral/") + kId}, {"property", name}}, kAnswerTimeout);
    return value && value.value().is_string() ? value.value().get<std::string>() : "";
}

/// A string in an event; empty if there is none.
std::string text_in(const json& event, const json::json_pointer& where)
{
    return event.contains(where) && event[where].is_string() ? event[where].get<std::string>() : "";
}

/// Why the machine stopped, according to the event SHUTDOWN.
End end_of(const json& event)
{
    const std::string reason = text_in(event, "/data/reason"_json_pointer);
    if (reason == "guest-shutdown") {
        return End::kPoweredOff;
    }
    if (reason == "guest-reset" || reason == "subsystem-reset") {
        return End::kReset;
    }
    return reason == "guest-panic" ? End::kPanicked : End::kEndedByTheHost;
}

/// Asks for a dump of a hung guest. Returns the error, or an empty string.
std::string take_hang_dump(QemuSession& session)
{
    const auto answer = session.execute(
        "qom-set",
        {{"path", std::string("/machine/peripheral/") + kId}, {"property", "dump"}, {"value", "hang"}},
        kAnswerTimeout);
    return answer ? "" : answer.error().what;
}

/// Waits for the end of the guest.
End watch(QemuSession& session, const RunFolder& folder, const RunOptions& options, RunFacts& facts)
{
    const auto forever = Clock::now() + std::chrono::hours(24 * 365);
    const auto deadline = options.timeout == 0 ? forever : Clock::now() + seconds(options.timeout);
    auto crash_deadline = forever;
    // An event that comes before the answer is kept.
    const auto greeted = session.execute("qmp_capabilities", json::object(), kAnswerTimeout);
    if (!greeted && session.signal() == 0 && !session.ends_within(kAnswerTimeout)) {
        facts.host_error = greeted.error().what;
        return End::kQemuFailed;
    }
    for (;;) {
        const auto event = session.next_event(std::min(deadline, crash_deadline));
        if (event) {
            const std::string name = text_in(*event, "/event"_json_pointer);
            if (name == "SHUTDOWN") {
                return end_of(*event);
            }
            if (name == "GUEST_PANICKED") {
                facts.panicked = true;
            }
            if (name == "DUMP_COMPLETED") {
                const auto dump = primary_dump(folder.dumps());
                if (dump && dump->complete && dump->reason == "panic") {
                    crash_deadline = std::min(crash_deadline, Clock::now() + kPanicGrace);
                }
            }
        } else if (session.signal() != 0) {
            facts.signal = session.signal();
            return End::kSignal;
        } else if (session.ended()) {
            return End::kQemuFailed;
        } else if (Clock::now() >= crash_deadline) {
            return End::kHungAfterPanic;
        } else if (Clock::now() >= deadline) {
            facts.seconds = options.timeout;
            facts.host_error = take_hang_dump(session);
            return End::kTimeout;
        }
    }
}

/// Queries what only a running QEMU can answer.
void query_state(QemuSession& session, RunFacts& facts)
{
    if (!session.ended() && facts.end != End::kSignal) {
        facts.last_error = property(session, "last-error");
        facts.ever_registered = property(session, "state") != "unused";
        facts.registered_now = property(session, "regions") != "[]";
    } else if (facts.end == End::kQemuFailed) {
        facts.host_error = "QEMU ended with " + session.ended()->text() +
                           (session.last_message().empty() ? "" : ": " + session.last_message());
    }
}

std::string panic_line(const std::optional<TakenDump>& taken)
{
    if (!taken) {
        return "";
    }
    const auto dump = open_dump(taken->path);
    if (!dump) {
        return "";
    }
    const auto log = read_printk_log(dump.value().memory(), dump.value().vmcoreinfo);
    return log ? std::string(find_panic_line(log.value().records).value_or("")) : "";
}

void print_json(const Outcome& outcome, const RunFacts& facts, const RunFolder& folder, std::ostream& out)
{
    const auto primary = primary_dump(facts.dumps);
    const std::string panic = panic_line(primary);
    const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    Json json = json_document("run", "");
    json["dump"] = text_or_null(primary ? primary->path : "");
    json["outcome"] = outcome.name;
    json["exit_status"] = outcome.status;
    json["what"] = outcome.sentence;
    json["panic"] = text_or_null(panic);
    json["dumps"] = Json::array();
    for (const TakenDump& dump : facts.dumps) {
        json["dumps"].push_back({{"path", dump.path}, {"reason", dump.reason}, {"complete", dump.complete}});
    }
    json["console"] = folder.console();
    json["messages"] = folder.messages();
    out << json_text(json) << "\n";
}

void print_text(const Outcome& outcome, const RunFacts& facts, const RunFolder& folder, std::ostream& err)
{
    const auto primary = primary_dump(facts.dumps);
    err << "kmdump: " << outcome.sentence << "\n";
    if (const std::string panic = panic_line(primary); !panic.empty()) {
        err << "kmdump: log: " << escape(panic) << "\n";
    }
    for (const TakenDump& dump : facts.dumps) {
        err << "kmdump: dump: " << dump.path << (dump.complete ? "" : " (incomplete)") << "\n";
    }
    err << "kmdump: console: " << folder.console() << "\n";
}

int refuse(const kmd::Error& error, int status, std::ostream& err)
{
    err << "kmdump: " << error.what << "\n";
    return status;
}

} // namespace

int run_guest(const RunOptions& options, std::ostream& out, std::ostream& err)
{
    for (const std::string& file : {options.kernel, options.initrd}) {
        if (!file.empty() && ::access(file.c_str(), R_OK) != 0) {
            return refuse({file + ": cannot be opened: " + std::strerror(errno)}, kUsageError, err);
        }
    }
    const auto machine = choose_guest_machine(options.architecture, options.kernel);
    if (!machine) {
        return refuse(machine.error(), kUsageError, err);
    }
    const auto found = find_qemu_and_plugin(options.qemu, machine.value().program, options.plugin);
    if (!found) {
        return refuse(found.error(), kQemuError, err);
    }
    const auto folder = RunFolder::reserve(options.output);
    if (!folder) {
        return refuse(folder.error(), kUsageError, err);
    }

    RunFacts facts;
    {
        const SignalsHeld signals;
        const bool quiet = options.quiet || options.json;
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        const int log = ::open(folder.value().messages().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        out.flush();
        auto session =
            QemuSession::start(arguments_for(options, machine.value(), found.value(), folder.value(), quiet),
                               found.value().way == WayIn::kPreload ? found.value().plugin : "",
                               !quiet && signals.has_terminal() ? -1 : null, quiet ? null : -1, err, log);
        ::close(null);
        if (!session) {
            return refuse(session.error(), kQemuError, err);
        }
        facts.end = watch(session.value(), folder.value(), options, facts);
        query_state(session.value(), facts);
    }
    facts.dumps = folder.value().dumps();
    facts.console_panic = folder.value().console_has(kPanicLine);
    const Outcome outcome = judge(facts);
    if (options.json) {
        print_json(outcome, facts, folder.value(), out);
        out.flush();
    } else {
        print_text(outcome, facts, folder.value(), err);
    }
    return outcome.status;
}

} // namespace kmdump
