// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile_report.h"

#include <string>

namespace kmdump_test
{

namespace
{

using namespace std::string_literals;

/// One of the ways to get a script to run; it would set `owned`. Then bytes that are no text, and a word
/// that no line can hold.
std::string attack(unsigned number)
{
    const std::string attacks[] = {
        "<script>window.owned=1</script>",
        "\"><img src=x onerror=\"window.owned=1\">",
        "'><svg onload='window.owned=1'>",
        "</style></title></textarea><script>window.owned=1</script>",
        "<a href=\"javascript:window.owned=1\" autofocus onfocus=window.owned=1>x</a>",
        "--><!--<script>window.owned=1</script>",
        "&lt;script&gt;window.owned=1&lt;/script&gt;",
        "<meta http-equiv=refresh content=\"0;url=data:text/html,x\"><base href=//example.invalid>",
        "]]><style>*{display:none}</style><iframe srcdoc=x>",
        // NOLINTNEXTLINE(misc-misleading-bidirectional): must do no harm
        "\xff\xfe\x00<\0script>\x1b[2J\xe2\x80\xae"s,
        std::string(300, 'W'),
    };
    return attacks[number % std::size(attacks)];
}

kmdump::Symbols hostile_symbols()
{
    std::vector<kmdump::Symbol> symbols;
    for (unsigned i = 0; i < 12; ++i) {
        symbols.push_back({0xffff800080000000 + i * 0x100, attack(i)});
    }
    return kmdump::Symbols(std::move(symbols));
}

kmdump::Backtrace hostile_backtrace()
{
    kmdump::Backtrace backtrace;
    for (unsigned i = 0; i < 11; ++i) {
        backtrace.frames.push_back({0xffff800080000010 + i * 0x100, i == 0});
    }
    backtrace.cut = attack(0);
    return backtrace;
}

} // namespace

kmdump::Report hostile_report()
{
    std::string note;
    for (const char* const key : {"OSRELEASE", "BUILD-ID", "KERNELOFFSET"}) {
        note += std::string(key) + "=" + attack(key[0]) + "\n";
    }
    kmdump::CoreSummary core;
    core.prstatus.resize(2);
    core.segments = 9;
    core.memory_bytes = 123456;

    kmdump::Sidecar sidecar;
    sidecar.reason = attack(1);
    sidecar.time = attack(2);
    sidecar.result = attack(3);
    std::vector<kmdump::Content> contents;
    kmdump::PrintkLog log;
    kmdump::TaskList tasks;
    for (unsigned i = 0; i < 24; ++i) {
        sidecar.left_out.push_back({i, attack(i)});
        contents.push_back({.phys = 0x40000000 + std::uint64_t{i} * 0x1234567,
                            .virt = 0xffff000000000000,
                            .size = 0x1000u << i % 8,
                            .file_offset = 0,
                            .name = attack(i),
                            .kind = i % 3 == 0 ? "memory" : attack(i + 1),
                            .id = i,
                            .status = i % 4 == 0 ? attack(i + 2) : ""});
        log.records.push_back({.seq = i,
                               .time_ns = i * 1000000000000000000ull,
                               .level = static_cast<std::uint8_t>(i),
                               .caller = i,
                               .text = attack(i) + "\n" + attack(i + 1)});
        tasks.tasks.push_back({.address = i,
                               .pid = i * 178956970u,
                               .tgid = i,
                               .comm = attack(i).substr(0, 16),
                               .state = i,
                               .backtrace = hostile_backtrace()});
    }
    log.records.push_back({.seq = 24, .level = 0, .text = "Kernel panic - not syncing: " + attack(0)});
    tasks.cut = attack(1);

    std::vector<kmdump::CpuState> cpus(2);
    for (auto& cpu : cpus) {
        cpu.registers.general_name = "x";
        cpu.registers.general.assign(31, 0xffffffffffffffff);
        cpu.registers.pc = 0xffff800080000010;
        cpu.registers.state_name = "pstate";
        cpu.registers.state = 5;
        cpu.backtrace = hostile_backtrace();
    }
    cpus[0].panicked = true;
    return {.file = attack(4),
            .file_size = 123,
            .core = std::move(core),
            .vmcoreinfo = kmd::Vmcoreinfo(note),
            .sidecar = std::move(sidecar),
            .contents = std::move(contents),
            .ram_bytes = 512 << 20,
            .node_name = attack(5),
            .kernel_version = attack(8),
            .log = std::move(log),
            .symbols = {hostile_symbols(), "kallsyms", attack(7)},
            .cpus = std::move(cpus),
            .tasks = std::move(tasks)};
}

} // namespace kmdump_test
