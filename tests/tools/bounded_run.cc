// SPDX-License-Identifier: GPL-2.0-or-later
#include "bounded_run.h"

#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "sanitized.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

namespace kmdump_test
{

namespace
{

/// Pages that the process has, in bytes: those mapped, and those in memory.
std::array<std::uint64_t, 2> memory_of_this_process()
{
    std::ifstream in("/proc/self/statm");
    std::array<std::uint64_t, 2> pages{};
    in >> pages[0] >> pages[1];
    const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return {pages[0] * size, pages[1] * size};
}

void limit(unsigned seconds, std::uint64_t bytes)
{
    const rlimit time{seconds, seconds};
    ::setrlimit(RLIMIT_CPU, &time);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (!kmd::test::kSanitized) {
        const std::uint64_t all = memory_of_this_process()[0] + bytes;
        const rlimit memory{all, all};
        ::setrlimit(RLIMIT_AS, &memory);
    }
}

[[noreturn]] void run(const std::vector<std::string>& words, int out, int err)
{
    std::vector<const char*> argv = {"kmdump"};
    for (const std::string& word : words) {
        argv.push_back(word.c_str());
    }
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), std::cout, std::cerr);
    std::cout.flush();
    std::cerr.flush();
    ::_exit(status);
}

std::string begin_of(int fd)
{
    std::string text(65536, '\0');
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

} // namespace

BoundedRun run_bounded(const std::vector<std::string>& words, unsigned seconds, std::uint64_t bytes)
{
    const int out = ::memfd_create("out", MFD_CLOEXEC);
    const int err = ::memfd_create("err", MFD_CLOEXEC);
    std::cout.flush();
    const pid_t child = ::fork();
    if (child == 0) {
        limit(seconds, bytes);
        run(words, out, err);
    }
    const std::uint64_t before = memory_of_this_process()[1];
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    BoundedRun result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    const std::uint64_t peak = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    result.grown = peak > before ? peak - before : 0;
    result.out = begin_of(out);
    result.err = begin_of(err);
    ::close(out);
    ::close(err);
    return result;
}

} // namespace kmdump_test
