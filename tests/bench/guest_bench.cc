// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long a real guest is held, beside QEMU's own dumps of the same guest into the same folder, at several
// sizes of RAM, fresh and filled (`held [RAM...]`); what compression and registration cost (`rest`), and the
// device itself (`presence`). Prints the tables of docs/performance.md: medians of runs in turns.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

namespace
{

using boot::Guest;
using Clock = std::chrono::steady_clock;

constexpr int kTimes = 11;

double milliseconds_since(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// One pwritev of as many bytes into a new file of the folder, with or without fsync. Milliseconds.
double plain_write(const std::filesystem::path& folder, std::uint64_t size, bool sync)
{
    std::vector<char> bytes(size, 'x');
    const auto path = (folder / "plain").string();
    const auto start = Clock::now();
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const iovec vector{bytes.data(), bytes.size()};
    const ssize_t written = ::pwritev(fd, &vector, 1, 0);
    if (sync) {
        ::fsync(fd);
    }
    ::close(fd);
    const double taken = milliseconds_since(start);
    ::unlink(path.c_str());
    return written == static_cast<ssize_t>(size) ? taken : -1;
}

double qemu_dump(Guest& guest, const std::string& format, std::uint64_t& size)
{
    const auto path = guest.folder().file("qemu.core");
    nlohmann::json arguments = {{"paging", false}, {"protocol", "file:" + path}, {"detach", true}};
    if (!format.empty()) {
        arguments["format"] = format;
    }
    const auto start = Clock::now();
    guest.qmp().execute("dump-guest-memory", arguments);
    while (guest.qmp().execute("query-dump")["status"] == "active") {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const double taken = milliseconds_since(start);
    size = std::filesystem::file_size(path);
    ::unlink(path.c_str());
    return taken;
}

nlohmann::json property(Guest& guest, const char* name)
{
    return guest.qmp().execute("qom-get", {{"path", guest.controller()}, {"property", name}});
}

void ask_for_a_dump(Guest& guest)
{
    guest.qmp().execute("qom-set", {{"path", guest.controller()}, {"property", "dump"}, {"value", "host"}});
}

/// A guest that crashed, and stands still.
std::unique_ptr<Guest> crashed(const std::string& ram, const std::string& command_line,
                               const std::string& properties)
{
    auto guest = std::make_unique<Guest>(boot::GuestOptions{
        .command_line = command_line, .properties = "pause=on,max-dumps=0" + properties, .ram = ram});
    guest->qmp().wait_event("STOP", std::chrono::minutes(10));
    return guest;
}

/// Where the time of the last dump went: microseconds of each step, as the sidecar has them.
std::string steps(Guest& guest)
{
    std::ifstream in(property(guest, "last-file").get<std::string>() + ".json");
    if (!in) {
        return "";
    }
    std::string text;
    const auto sidecar = nlohmann::json::parse(in);
    for (const auto& [name, value] : sidecar["nanoseconds"].items()) {
        text += (text.empty() ? "" : " ") + name + " " + std::to_string(value.get<std::uint64_t>() / 1000);
    }
    return text;
}

void held(const std::string& ram, const std::string& what, const std::string& command_line,
          const std::string& properties)
{
    const auto guest = crashed(ram, command_line, properties);
    std::vector<double> held, plain, synced, elf, zlib;
    std::uint64_t elf_size = 0, zlib_size = 0;
    const auto bytes = property(*guest, "last-bytes").get<std::uint64_t>();
    for (int i = 0; i < kTimes; ++i) {
        ask_for_a_dump(*guest);
        held.push_back(property(*guest, "last-nanoseconds").get<double>() / 1e6);
        plain.push_back(plain_write(guest->folder().path(), bytes, false));
        synced.push_back(plain_write(guest->folder().path(), bytes, true));
    }
    // Gigabytes that cannot be compressed take minutes.
    const int times = ram == "4G" || !command_line.empty() ? 1 : 3;
    for (int i = 0; i < times; ++i) {
        elf.push_back(qemu_dump(*guest, "", elf_size));
        zlib.push_back(qemu_dump(*guest, "kdump-zlib", zlib_size));
    }
    const double ms = median(held);
    std::printf("| %s | %s | %.2f | %.2f | %.2f (%.2f) | %.1f (%.1f) | %.0f (%.0f) | %.0f | %.0f (%.1f) | "
                "%.0f | %s |\n",
                ram.c_str(), what.c_str(), static_cast<double>(bytes) / 1e6, ms, median(plain),
                median(synced), ms / median(plain), ms / median(synced), median(elf),
                static_cast<double>(elf_size) / 1e6, median(elf) / ms, median(zlib),
                static_cast<double>(zlib_size) / 1e6, median(zlib) / ms, steps(*guest).c_str());
    std::fflush(stdout);
}

void held_table(std::vector<std::string> rams)
{
    std::printf(
        "| RAM | guest | MB | held, ms | one pwritev, ms (fsync) | held / pwritev (fsync) | ELF, ms (MB) | "
        "ELF / held | kdump-zlib, ms (MB) | zlib / held | steps, us |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n");
    if (rams.empty()) {
        rams = {"256M", "1G", "4G"};
    }
    for (const std::string& ram : rams) {
        held(ram, "fresh", "", "");
        held(ram, "fresh, sidecar=off", "", ",sidecar=off");
        held(ram, "filled", "kmd.fill=75", "");
    }
    held("1G", "`log_buf_len=64M`", "log_buf_len=64M", "");
}

/// compress=zstd beside `zstd -T0` on the finished file.
void zstd_table()
{
    std::printf("\n| | bytes | ms |\n|---|---|---|\n");
    const auto plain = crashed("1G", "kmd.fill=75", "");
    const auto packed = crashed("1G", "kmd.fill=75", ",compress=zstd");
    std::vector<double> without, with, command;
    const auto file = property(*plain, "last-file").get<std::string>();
    const auto out = plain->folder().file("packed.zst");
    for (int i = 0; i < kTimes; ++i) {
        ask_for_a_dump(*plain);
        without.push_back(property(*plain, "last-nanoseconds").get<double>() / 1e6);
        ask_for_a_dump(*packed);
        with.push_back(property(*packed, "last-nanoseconds").get<double>() / 1e6);
        const auto start = Clock::now();
        support::run({"zstd", "-q", "-f", "-1", "-T0", file, "-o", out});
        command.push_back(milliseconds_since(start));
    }
    std::printf("| uncompressed, held | %llu | %.2f |\n| compress=zstd, held | %llu | %.2f |\n"
                "| zstd -1 -T0 on the finished file, from start to end | %llu | %.2f |\n",
                property(*plain, "last-bytes").get<unsigned long long>(), median(without),
                property(*packed, "last-bytes").get<unsigned long long>(), median(with),
                static_cast<unsigned long long>(std::filesystem::file_size(out)), median(command));
    std::fflush(stdout);
}

/// Accesses of the guest for each region, from the controller's trace: a registration ends with a look at
/// the status of its slot.
void registration_table()
{
    const support::RunFolder logs;
    Guest guest(
        {.command_line = "kmd.do=poweroff", .properties = "trace=on", .qemu = {"-D", logs.file("log")}});
    guest.wait_for_the_end();
    std::vector<double> each;
    std::istringstream log(logs.read("log"));
    int accesses = 0;
    for (std::string word; log >> word;) {
        if (word != "read" && word != "write") {
            continue;
        }
        ++accesses;
        const bool reads = word == "read";
        log >> word;
        const std::uint64_t offset = std::stoull(word, nullptr, 16);
        if (reads && offset >= 0x1000 && offset % 64 == 0x30) {
            each.push_back(accesses);
            accesses = 0;
        }
    }
    // The first one counts what the driver does before it.
    each.erase(each.begin());
    auto payload = support::qemu_command();
    payload.insert(payload.end(),
                   {"-serial", "stdio", "-monitor", "none", "-device",
                    "kmemdump-md,output=" + logs.path().string(), "-kernel", support::required("KMD_PAYLOAD"),
                    "-device", "loader,addr=0x48000000,data=11,data-len=4"});
    const std::string said = support::run(payload).output;
    const auto time = said.find("ns each ");
    std::printf("\nthe payload's 512 registrations: %s",
                said.substr(time, said.find('\n', time) - time + 1).c_str());
    std::printf("%zu registrations of the stock guest: %.0f accesses each (median; at most %.0f)\n",
                each.size() + 1, median(each), *std::max_element(each.begin(), each.end()));
    std::fflush(stdout);
}

/// Seconds of CPU that a process has used: proc(5), stat.
/// What all threads of a process have used; /proc/PID/stat counts in steps of 10 ms, too coarse for an idle
/// guest.
double cpu_seconds(pid_t pid)
{
    double nanoseconds = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        double used = 0;
        std::ifstream(thread.path() / "schedstat") >> used;
        nanoseconds += used;
    }
    return nanoseconds / 1e9;
}

struct Cost {
    double boot_cpu = 0;
    double idle_percent = 0;
};

/// A guest without the controller; with the controller and its driver; with the controller alone, which looks
/// at the kernel once a second.
enum Presence { kNothing, kDriver, kNoDriver };
constexpr unsigned kPresences = 3;

/// What a guest costs up to its user space, and then while it does nothing.
Cost cost_of_a_guest(unsigned presence)
{
    constexpr auto kIdle = std::chrono::seconds(20);
    Guest guest({.command_line = "kmd.do=shell" + std::string(presence == kDriver ? "" : " kmd.load=none"),
                 .controller = presence != kNothing});
    while (guest.console().find("init: kernel ") == std::string::npos) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    Cost cost{.boot_cpu = cpu_seconds(guest.pid())};
    std::this_thread::sleep_for(std::chrono::seconds(5));
    const double before = cpu_seconds(guest.pid());
    std::this_thread::sleep_for(kIdle);
    cost.idle_percent =
        (cpu_seconds(guest.pid()) - before) * 100 / std::chrono::duration<double>(kIdle).count();
    return cost;
}

/// Each round begins with another of the three, because a machine gets slower or faster in the course of a
/// run.
void presence_table()
{
    constexpr unsigned kRounds = 6;
    std::vector<double> boot[kPresences], idle[kPresences];
    for (unsigned i = 0; i < kRounds; ++i) {
        for (unsigned j = 0; j < kPresences; ++j) {
            const unsigned presence = (i + j) % kPresences;
            const Cost cost = cost_of_a_guest(presence);
            boot[presence].push_back(cost.boot_cpu);
            idle[presence].push_back(cost.idle_percent);
        }
    }
    std::printf("\n| median (lowest to highest) | without | with its driver | without a driver "
                "|\n|---|---|---|---|\n");
    const auto row = [](const char* what, const std::vector<double>(&values)[kPresences]) {
        std::printf("| %s |", what);
        for (const auto& all : values) {
            const auto [low, high] = std::minmax_element(all.begin(), all.end());
            std::printf(" %.2f (%.2f to %.2f) |", median(all), *low, *high);
        }
        std::printf("\n");
    };
    row("CPU seconds to user space", boot);
    row("CPU when idle, %", idle);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view what = argc > 1 ? argv[1] : "held";
    try {
        if (what == "held") {
            held_table({argv + std::min(argc, 2), argv + argc});
        } else if (what == "presence") {
            presence_table();
        } else {
            zstd_table();
            registration_table();
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "guest_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
