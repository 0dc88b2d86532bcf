// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any file that is given to kmdump as a dump, or as its sidecar: it ends with status 0 or 1, says at most one
// sentence of error, and nothing but text reaches a terminal.
#include "core_maker.h"
#include "kmdump/cli.h"
#include "kmdump/sidecar_file.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace
{

using kmdump_test::Bytes;
using kmdump_test::TemporaryFile;

/// Ends the program as a crash that libFuzzer reports.
void require(bool kept, const char* promise)
{
    if (!kept) {
        std::fprintf(stderr, "broken promise: %s\n", promise);
        __builtin_trap();
    }
}

/// A dump that has everything that the commands read.
Bytes good_dump()
{
    constexpr std::uint64_t text = 0xffff8000'80100000;
    constexpr std::uint64_t stack = 0xffff8000'80020000;
    kmdump_test::RingMaker ring(3, 8);
    ring.write("Kernel panic - not syncing: test");
    ring.write("CPU: 1 PID: 1 Comm: init");
    auto maker = ring.core();
    kmdump_test::KallsymsMaker kallsyms;
    kallsyms.symbols = {
        {text, "_text"}, {text + 0x100, "panic"}, {text + 0x300, "sysrq_handle"}, {text + 0x400, "_end"}};
    *maker.vmcoreinfo += kallsyms.vmcoreinfo() + "SYMBOL(swapper_pg_dir)=ffff800080001000\n"
                                                 "NUMBER(kimage_voffset)=0xffff800040000000\n"
                                                 "NUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n"
                                                 "NUMBER(PHYS_OFFSET)=0x40000000\nCRASHTIME=1\n";
    maker.memory.push_back(kallsyms.make());
    Bytes frames(128);
    kmdump_test::put(frames, 0, stack + 32, 8);
    kmdump_test::put(frames, 8, text + 0x320, 8);
    maker.memory.push_back({stack, 0x42000000, frames});
    Bytes root(64);
    kmdump_test::put(root, 0, 0x40001003, 8);
    maker.memory.push_back({0xffff8000'80001000, 0x40001000, root});
    maker.prstatus = {kmdump_test::prstatus(text + 0x110, stack, text + 0x320),
                      kmdump_test::prstatus(text + 0x310, stack + 8, text)};
    return maker.make();
}

Bytes next_file(FuzzedDataProvider& data)
{
    if (data.ConsumeBool()) {
        const auto raw = data.ConsumeRemainingBytes<std::uint8_t>();
        const auto bytes = std::as_bytes(std::span(raw));
        return {bytes.begin(), bytes.end()};
    }
    static const Bytes good = good_dump();
    Bytes file = good;
    while (data.remaining_bytes() > 3) {
        const std::size_t size = std::size_t{1} << data.ConsumeIntegralInRange(0, 3);
        const auto at = data.ConsumeIntegralInRange<std::size_t>(0, file.size() - size);
        kmdump_test::put(file, at, data.ConsumeIntegral<std::uint64_t>(), size);
    }
    if (data.ConsumeIntegralInRange(0, 7) == 0) {
        file.resize(data.ConsumeIntegralInRange<std::size_t>(0, file.size()));
    }
    return file;
}

bool is_plain_text(const std::string& text)
{
    return std::ranges::all_of(text, [](char c) { return c == '\n' || c == '\t' || (c >= ' ' && c <= '~'); });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    constexpr const char* commands[] = {"info", "regions", "log", "cpus", "verify", "diff", "sidecar"};
    const std::string command = data.PickValueInArray(commands);
    if (command == "sidecar") {
        const auto sidecar = kmdump::parse_sidecar(data.ConsumeRemainingBytesAsString());
        require(sidecar || is_plain_text(sidecar.error().what), "an error is text");
        return 0;
    }
    static const TemporaryFile good(good_dump());
    static const TemporaryFile file(Bytes{});
    const bool json = data.ConsumeBool();
    file.write(next_file(data));
    std::vector<const char*> argv = {"kmdump", command.c_str(), file.path().c_str()};
    if (command == "diff") {
        argv.push_back(good.path().c_str());
    }
    if (json) {
        argv.push_back("--json");
    }
    std::ostringstream out;
    std::ostringstream err;
    const int status = kmdump::run(static_cast<int>(argv.size()), argv.data(), out, err);
    require(status == 0 || status == 1, "the status is 0 or 1");
    require(is_plain_text(out.str() + err.str()), "nothing but text is written");
    require(std::ranges::count(err.str(), '\n') <= status, "an error is one line");
    return 0;
}
