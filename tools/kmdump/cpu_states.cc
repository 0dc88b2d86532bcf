// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu_states.h"

#include "log_text.h"

#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

/// PANIC_CPU_INVALID of the kernel.
constexpr auto kNoCpu = std::numeric_limits<std::uint32_t>::max();

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

std::optional<std::uint64_t> panic_cpu_variable(const KernelMemory& memory, const Symbols& symbols)
{
    const auto address = symbols.address_of("panic_cpu");
    const auto cpu = address ? memory.read_u32(*address) : std::nullopt;
    return cpu && *cpu != kNoCpu ? std::optional<std::uint64_t>(*cpu) : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> find_panic_cpu(std::span<const LogRecord> records)
{
    std::optional<std::uint64_t> cpu;
    bool panicked = false;
    for (const LogRecord& record : records) {
        for (const auto line : split_lines(record.text)) {
            if (line.starts_with(kPanicLine)) {
                panicked = true;
            }
            if (const auto named = cpu_of_line(line)) {
                cpu = named;
                if (panicked) {
                    return cpu;
                }
            }
        }
    }
    return panicked ? cpu : std::nullopt;
}

kmd::Result<std::vector<CpuState>> read_cpu_states(const Dump& dump, const Symbols& symbols)
{
    const auto cpus = read_cpu_registers(dump.core.summary());
    if (!cpus) {
        return cpus.error();
    }
    const KernelMemory memory = dump.memory();
    auto panic_cpu = panic_cpu_variable(memory, symbols);
    if (!panic_cpu) {
        if (const auto log = read_printk_log(memory, dump.vmcoreinfo)) {
            panic_cpu = find_panic_cpu(log.value().records);
        }
    }
    const Unwinder unwinder(memory, dump.vmcoreinfo);
    std::vector<CpuState> states;
    for (const CpuRegisters& registers : cpus.value()) {
        CpuState state{registers,
                       {unwinder.strip(registers.link()), false},
                       panic_cpu == states.size(),
                       {{{registers.pc, true}}, {}}};
        if (registers.in_kernel()) {
            state.backtrace = unwinder.unwind(registers.pc, registers.frame_pointer());
        }
        states.push_back(std::move(state));
    }
    return states;
}

std::optional<std::string> place_of(const Symbols& symbols, const Frame& frame)
{
    const auto place = frame.exact ? symbols.find(frame.address) : symbols.find_caller(frame.address);
    return place ? std::optional(format_place(*place)) : std::nullopt;
}

} // namespace kmdump
