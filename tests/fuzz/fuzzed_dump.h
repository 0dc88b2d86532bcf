// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps for the fuzz targets of kmdump, and what kmdump promises whatever stands in a file.
#pragma once

#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "plain_text.h"
#include "task_maker.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <sstream>
#include <string>
#include <vector>

namespace fuzzed
{

using kmdump_test::Bytes;

/// Ends the program as a crash that libFuzzer reports.
inline void require(bool kept, const char* promise)
{
    if (!kept) {
        std::fprintf(stderr, "broken promise: %s\n", promise);
        __builtin_trap();
    }
}

constexpr std::uint64_t kText = 0xffff8000'80100000;
constexpr std::uint64_t kStack = 0xffff8000'80020000;

inline kmdump_test::KallsymsMaker good_symbols()
{
    kmdump_test::KallsymsMaker kallsyms;
    kallsyms.symbols = {
        {kText, "_text"}, {kText + 0x100, "panic"}, {kText + 0x300, "sysrq_handle"}, {kText + 0x400, "_end"}};
    return kallsyms;
}

inline kmdump_test::RingMaker good_ring()
{
    kmdump_test::RingMaker ring(3, 8);
    ring.write("Kernel panic - not syncing: test");
    ring.write("CPU: 1 PID: 1 Comm: init");
    return ring;
}

/// What turns `maker` into a dump that has everything that the commands read.
inline void complete(kmdump_test::CoreMaker& maker)
{
    const auto kallsyms = good_symbols();
    *maker.vmcoreinfo += kallsyms.vmcoreinfo() + "SYMBOL(swapper_pg_dir)=ffff800080001000\n"
                                                 "NUMBER(kimage_voffset)=0xffff800040000000\n"
                                                 "NUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
                                                 "NUMBER(PHYS_OFFSET)=0x40000000\nCRASHTIME=1\n";
    Bytes frames(128);
    kmdump_test::put(frames, 0, kStack + 32, 8);
    kmdump_test::put(frames, 8, kText + 0x320, 8);
    maker.memory.push_back({kStack, 0x42000000, frames});
    auto tasks = kmdump_test::TaskMaker::usual();
    tasks.put_at(3, kmdump_test::TaskMaker::kThread + 96, kText + 0x320);
    tasks.put_at(3, kmdump_test::TaskMaker::kThread + 80, kStack);
    maker.layout = tasks.core().layout;
    maker.memory.push_back(tasks.core().memory[0]);
    maker.memory.back().phys = 0x50000000;
    Bytes root(64);
    kmdump_test::put(root, 0, 0x40001003, 8);
    maker.memory.push_back({0xffff8000'80001000, 0x40001000, root});
    maker.prstatus = {kmdump_test::prstatus(kText + 0x110, kStack, kText + 0x320),
                      kmdump_test::prstatus(kText + 0x310, kStack + 8, kText)};
}

inline Bytes good_dump()
{
    auto maker = good_ring().core();
    maker.memory.push_back(good_symbols().make());
    complete(maker);
    return maker.make();
}

/// Overwrites numbers of 1 to 8 bytes, as long as there is data.
inline void spoil(FuzzedDataProvider& data, Bytes& bytes)
{
    while (data.remaining_bytes() > 3 && bytes.size() > 8) {
        const std::size_t size = std::size_t{1} << data.ConsumeIntegralInRange(0, 3);
        const auto at = data.ConsumeIntegralInRange<std::size_t>(0, bytes.size() - size);
        kmdump_test::put(bytes, at, data.ConsumeIntegral<std::uint64_t>(), size);
    }
}

/// Requires, at its end, that this process took no more CPU time meanwhile than an input may cost. A wall
/// clock, as libFuzzer has it, counts what the machine does besides.
class CpuTime
{
  public:
    CpuTime() = default;
    CpuTime(const CpuTime&) = delete;
    CpuTime& operator=(const CpuTime&) = delete;
    ~CpuTime()
    {
        require(std::clock() - begin_ < kMostSeconds * CLOCKS_PER_SEC, "an input takes at most 2 s");
    }

  private:
    static constexpr std::clock_t kMostSeconds = 2;
    std::clock_t begin_ = std::clock();
};

/// Runs a command and requires what holds for each.
inline void run_command(const std::vector<const char*>& words)
{
    const CpuTime time;
    std::vector<const char*> argv = {"kmdump"};
    argv.insert(argv.end(), words.begin(), words.end());
    std::ostringstream out;
    std::ostringstream err;
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), out, err);
    require(status == 0 || status == 1, "the status is 0 or 1");
    require(std::string(words[0]) == "report" || kmdump_test::is_plain_text(out.str()),
            "nothing but text is written");
    require(kmdump_test::is_plain_text(err.str()), "an error is text");
    require(std::ranges::count(err.str(), '\n') <= status, "an error is one line");
}

} // namespace fuzzed
