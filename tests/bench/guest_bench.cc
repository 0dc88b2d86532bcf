// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long a real guest is held, beside QEMU's own dumps of the same guest into the same folder, at several
// sizes of RAM. Prints rows of the table in docs/performance.md.
#include "elf_core.h"
#include "guest.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

namespace
{

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// One pwritev of as many bytes into a new file of the folder, fsync included. Milliseconds.
double plain_write(const std::filesystem::path& folder, std::uint64_t size)
{
    std::vector<char> bytes(size, 'x');
    const auto path = (folder / "plain").string();
    const auto start = Clock::now();
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    const iovec vector{bytes.data(), bytes.size()};
    const ssize_t written = ::pwritev(fd, &vector, 1, 0);
    ::fsync(fd);
    ::close(fd);
    const double taken = milliseconds_since(start);
    ::unlink(path.c_str());
    return written == static_cast<ssize_t>(size) ? taken : -1;
}

double qemu_dump(boot::Guest& guest, const std::string& format, std::uint64_t& size)
{
    const auto path = guest.folder().file("qemu.core");
    nlohmann::json arguments = {{"paging", false}, {"protocol", "file:" + path}};
    if (!format.empty()) {
        arguments["format"] = format;
    }
    const auto start = Clock::now();
    guest.qmp().execute("dump-guest-memory", arguments);
    const double taken = milliseconds_since(start);
    size = std::filesystem::file_size(path);
    ::unlink(path.c_str());
    return taken;
}

void measure(const std::string& ram)
{
    constexpr int kTimes = 11;
    boot::Guest guest({.command_line = "", .properties = "pause=on,max-dumps=0", .ram = ram});
    guest.qmp().wait_event("STOP", std::chrono::seconds(120));
    const auto property = [&](const char* name) {
        return guest.qmp().execute("qom-get", {{"path", guest.controller()}, {"property", name}});
    };
    std::vector<double> held, plain, elf, zlib;
    std::uint64_t elf_size = 0, zlib_size = 0;
    const auto bytes = property("last-bytes").get<std::uint64_t>();
    for (int i = 0; i < kTimes; ++i) {
        guest.qmp().execute("qom-set",
                            {{"path", guest.controller()}, {"property", "dump"}, {"value", "host"}});
        held.push_back(property("last-nanoseconds").get<double>() / 1e6);
        plain.push_back(plain_write(guest.folder().path(), bytes));
    }
    for (int i = 0; i < 3; ++i) {
        elf.push_back(qemu_dump(guest, "", elf_size));
        zlib.push_back(qemu_dump(guest, "kdump-zlib", zlib_size));
    }
    std::printf("| %s | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f | %.0f | %.2f | %.2f |\n", ram.c_str(),
                median(held), static_cast<double>(bytes) / 1e6, median(plain), median(held) / median(plain),
                median(elf), static_cast<double>(elf_size) / 1e6, median(elf) / median(held), median(zlib),
                static_cast<double>(zlib_size) / 1e6);
    std::fflush(stdout);
}

} // namespace

int main()
{
    std::printf("| RAM | held, ms | MB | one pwritev, ms | held / pwritev | ELF, ms | MB | ELF / held | "
                "kdump-zlib, ms "
                "| MB |\n|---|---|---|---|---|---|---|---|---|---|\n");
    try {
        for (const char* ram : {"256M", "1G", "4G"}) {
            measure(ram);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "guest_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
