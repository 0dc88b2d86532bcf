// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/cpu_states.h"

#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/kernel/orc_unwind.h"
#include "kmdump/kernel/variables.h"

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
    return !active                 ? CpuActivity::kOffline
           : registers.in_kernel   ? CpuActivity::kKernel
           : registers.in_firmware ? CpuActivity::kFirmware
                                   : CpuActivity::kProgram;
}

/// The registers in the order of the kernel's numbers of its CPUs. Their own order if those are not in the
/// dump, or name a CPU twice.
std::vector<kmd::CpuRegisters> in_order_of_kernel(std::vector<kmd::CpuRegisters> cpus, const Dump& dump,
                                                  const Symbols& symbols, std::string_view numbers)
{
    const auto address =
        numbers.empty() ? std::nullopt : address_of_symbol(dump, symbols, std::string(numbers));
    const KernelMemory memory = dump.memory();
    std::vector<kmd::CpuRegisters> ordered;
    std::vector<bool> taken(cpus.size());
    for (std::size_t i = 0; address && i < cpus.size(); ++i) {
        const auto number = memory.read_u64(*address + sizeof(std::uint64_t) * i);
        if (!number || *number >= cpus.size() || taken[*number]) {
            return cpus;
        }
        taken[*number] = true;
        ordered.push_back(cpus[*number]);
    }
    return address ? ordered : cpus;
}

/// In firmware the calls of the kernel follow the place in the firmware.
Backtrace backtrace_of(const kmd::CpuRegisters& registers, const Unwinder& unwinder,
                       const kmd::Architecture& architecture, const KernelMemory& memory)
{
    Backtrace trace{{{registers.pc, true}}, {}};
    std::optional<kmd::CpuRegisters> kernel;
    if (registers.in_firmware) {
        kernel = architecture.below_firmware(registers,
                                             [&](std::uint64_t address) { return memory.read_u64(address); });
        trace.cut = kernel ? "" : "the firmware's stack has no registers of the kernel";
    } else if (registers.in_kernel) {
        kernel = registers;
        trace.frames.clear();
    }
    if (kernel) {
        const Backtrace calls = unwinder.unwind({kernel->pc, kernel->sp, kernel->frame_pointer});
        trace.frames.insert(trace.frames.end(), calls.frames.begin(), calls.frames.end());
        trace.frames[trace.frames.size() - calls.frames.size()].link = kernel->link;
        trace.cut = calls.cut;
    }
    return trace;
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
    const kmd::Architecture* const architecture = kmd::find_architecture(dump.core.summary().machine);
    const Unwinder unwinder(memory, dump.vmcoreinfo, architecture, symbols, find_orc_tables(dump, symbols));
    const auto active = read_active_mask(memory, symbols, sidecar, cpus.value().size());
    std::vector<CpuState> states;
    for (const kmd::CpuRegisters& registers :
         in_order_of_kernel(cpus.value(), dump, symbols, architecture->cpu_numbers)) {
        const bool is_active = active.empty() || active[states.size()];
        CpuState state{registers,
                       activity_of(registers, is_active),
                       {unwinder.strip(registers.link), false},
                       false,
                       {{{registers.pc, true}}, {}}};
        if (state.activity != CpuActivity::kNeverStarted) {
            state.backtrace = backtrace_of(registers, unwinder, *architecture, memory);
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
    case CpuActivity::kFirmware:
        return "in firmware";
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
    return (frame.possible ? "? " : "") + format_place(*place) +
           (frame.from_link ? ", the caller if lr is still valid" : "");
}

} // namespace kmdump
