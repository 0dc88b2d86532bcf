// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/cpu_states.h"

#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/log_text.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

/// The code that function_graph and kretprobes (two names) put in place of a return address.
bool is_trampoline(std::string_view name)
{
    return name == "return_to_handler" || name == "arch_rethook_trampoline" ||
           name == "__kretprobe_trampoline";
}

std::optional<std::uint64_t> cpu_of_line(std::string_view line)
{
    constexpr std::string_view start = "CPU: ";
    if (!line.starts_with(start)) {
        return std::nullopt;
    }
    line.remove_prefix(start.size());
    std::uint64_t cpu = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), cpu);
    if (error != std::errc() || stop == line.data() + line.size() || *stop != ' ') {
        return std::nullopt;
    }
    return cpu;
}

/// The only CPU with panic() in its backtrace. A CPU that panicked later waits in one of the self_stop
/// functions and does not count.
std::optional<std::uint64_t> cpu_in_panic(const std::vector<CpuState>& states, const Symbols& symbols)
{
    std::optional<std::uint64_t> found;
    for (std::size_t cpu = 0; cpu < states.size(); ++cpu) {
        bool panics = false;
        bool waits = false;
        for (const Frame& frame : states[cpu].backtrace.frames) {
            const auto place = frame.exact ? symbols.find(frame.address) : symbols.find_caller(frame.address);
            const std::string_view name = place ? place->name : "";
            panics = panics || name == "panic" || name == "vpanic";
            waits = waits || name == "panic_smp_self_stop" || name == "nmi_panic_self_stop";
        }
        if (panics && !waits) {
            if (found) {
                return std::nullopt;
            }
            found = cpu;
        }
    }
    return found;
}

/// The bits of __cpu_active_mask; empty if the dump does not have it.
std::vector<bool> read_active_mask(const KernelMemory& memory, const Symbols& symbols,
                                   const std::optional<Sidecar>& sidecar, std::size_t cpus)
{
    auto address = symbols.address_of("__cpu_active_mask");
    if (!address && sidecar) {
        const auto region = std::find_if(sidecar->regions.begin(), sidecar->regions.end(),
                                         [](const SidecarRegion& candidate) {
                                             return candidate.accepted && candidate.name == "cpu_active";
                                         });
        address = region == sidecar->regions.end() ? std::nullopt : std::optional(region->virt);
    }
    std::vector<bool> mask;
    for (std::size_t cpu = 0; address && cpu < cpus; ++cpu) {
        const auto word = memory.read_u64(*address + cpu / 64 * 8);
        if (!word) {
            return {};
        }
        mask.push_back((*word >> cpu % 64 & 1) != 0);
    }
    return mask;
}

CpuActivity activity_of(const kmd::CpuRegisters& registers, bool active)
{
    if (registers.are_zeros()) {
        // The state register is not zero after a reset.
        return registers.state == 0 ? CpuActivity::kUnknown : CpuActivity::kNeverStarted;
    }
    return !active               ? CpuActivity::kOffline
           : registers.in_kernel ? CpuActivity::kKernel
                                 : CpuActivity::kProgram;
}

} // namespace

std::optional<std::uint64_t> read_panic_cpu(const Dump& dump, const Symbols& symbols, std::uint64_t cpus)
{
    auto address = symbols.address_of("panic_cpu");
    if (!address) {
        address = find_layout(dump.core).symbol("SYMBOL(panic_cpu)");
    }
    const auto cpu = address ? dump.memory().read_u32(*address) : std::nullopt;
    return cpu && *cpu < cpus ? std::optional<std::uint64_t>(*cpu) : std::nullopt;
}

std::optional<std::uint64_t> find_panic_cpu(std::span<const LogRecord> records, std::uint64_t cpus)
{
    const auto panics = find_panic_records(records);
    if (panics.empty()) {
        return std::nullopt;
    }
    const LogRecord& panic = *panics.front();
    if (const auto cpu = caller_cpu(panic)) {
        return *cpu < cpus ? std::optional<std::uint64_t>(*cpu) : std::nullopt;
    }
    std::optional<std::uint64_t> before;
    bool panicked = false;
    for (const LogRecord& record : records) {
        panicked = panicked || &record == &panic;
        const auto named = cpu_of_line(split_lines(record.text).front());
        if (named && *named < cpus && is_from_kernel(record) && record.caller == panic.caller) {
            if (panicked) {
                return named;
            }
            before = named;
        }
    }
    return before;
}

kmd::Result<std::vector<CpuState>> read_cpu_states(const Dump& dump, const Symbols& symbols,
                                                   const std::optional<Sidecar>& sidecar)
{
    const auto cpus = read_cpu_registers(dump.core.summary());
    if (!cpus) {
        return cpus.error();
    }
    const KernelMemory memory = dump.memory();
    const Unwinder unwinder(memory, dump.vmcoreinfo, kmd::find_architecture(dump.core.summary().machine));
    const auto active = read_active_mask(memory, symbols, sidecar, cpus.value().size());
    std::vector<CpuState> states;
    for (const kmd::CpuRegisters& registers : cpus.value()) {
        const bool is_active = active.empty() || active[states.size()];
        CpuState state{registers,
                       activity_of(registers, is_active),
                       {unwinder.strip(registers.link), false},
                       false,
                       {{{registers.pc, true}}, {}}};
        if (registers.in_kernel && state.activity != CpuActivity::kNeverStarted) {
            state.backtrace = unwinder.unwind(registers.pc, registers.frame_pointer);
            state.backtrace.frames.front().link = registers.link;
            add_leaf_callers(state.backtrace, unwinder, symbols);
        }
        states.push_back(std::move(state));
    }
    auto panicked = read_panic_cpu(dump, symbols, states.size());
    if (!panicked) {
        panicked = cpu_in_panic(states, symbols);
    }
    if (!panicked) {
        if (const auto log = read_printk_log(memory, dump.vmcoreinfo)) {
            panicked = find_panic_cpu(log.value().records, states.size());
        }
    }
    if (panicked) {
        states[*panicked].panicked = true;
    }
    return states;
}

const char* activity_words(const CpuState& cpu)
{
    if (cpu.panicked) {
        return "panicked";
    }
    switch (cpu.activity) {
    case CpuActivity::kKernel:
        return "in the kernel";
    case CpuActivity::kProgram:
        return "in a program";
    case CpuActivity::kOffline:
        return "offline";
    case CpuActivity::kNeverStarted:
        return "never started";
    case CpuActivity::kUnknown:
        break;
    }
    return "no registers in the dump";
}

std::optional<std::string> place_of(const Symbols& symbols, const Frame& frame)
{
    const auto here = symbols.find(frame.address);
    if (!frame.exact && here && here->offset == 0 && is_trampoline(here->name)) {
        return std::string(here->name) + ", which a tracer put in place of the caller";
    }
    const auto place = frame.exact ? here : symbols.find_caller(frame.address);
    if (!place) {
        return std::nullopt;
    }
    return format_place(*place) + (frame.from_link ? ", the caller if lr is still valid" : "");
}

} // namespace kmdump
