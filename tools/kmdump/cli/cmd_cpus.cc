// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_cpus.h"

#include "common/text.h"
#include "kmdump/cli/backtrace_text.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <map>

namespace kmdump
{

namespace
{

void print_general_registers(const kmd::CpuRegisters& registers, std::ostream& out)
{
    constexpr std::size_t columns = 3;
    const std::size_t count = registers.general.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = registers.name_of(i);
        out << (i % columns == 0 ? "  " : "   ") << name << std::string(4 - name.size(), ' ')
            << kmd::hex_digits(registers.general[i])
            << (i % columns == columns - 1 || i + 1 == count ? "\n" : "");
    }
}

void print_cpu(std::size_t number, const CpuState& cpu, const Symbols& symbols, const Style& style,
               std::ostream& out)
{
    const kmd::CpuRegisters& registers = cpu.registers;
    const std::string title = "CPU " + std::to_string(number) + ", " + activity_words(cpu);
    out << (cpu.panicked ? style.bad(title) : style.heading(title)) << "\n"
        << "  pc  " << frame_text(symbols, {registers.pc, true}) << "\n";
    if (!registers.link_name.empty()) {
        out << "  " << registers.link_name << "  " << frame_text(symbols, cpu.link) << "\n";
    }
    out << "  sp  " << kmd::hex_digits(registers.sp);
    if (!registers.state_name.empty()) {
        out << "   " << registers.state_name << " " << kmd::hex_digits(registers.state);
    }
    out << "\n";
    print_general_registers(registers, out);
    if (!registers.in_kernel && !registers.in_firmware) {
        return;
    }
    out << "  backtrace:\n";
    print_backtrace(cpu.backtrace, symbols, "    ", out);
}

/// The modules in the backtraces, by address. A debugger needs their addresses.
std::map<std::uint64_t, const SymbolTable*> modules_in_use(const std::vector<CpuState>& cpus,
                                                           const Symbols& symbols)
{
    std::map<std::uint64_t, const SymbolTable*> modules;
    for (const CpuState& cpu : cpus) {
        for (const Frame& frame : cpu.backtrace.frames) {
            const SymbolTable* const table = symbols.table_of(frame.address - (frame.exact ? 0 : 1));
            if (table != nullptr && !table->module.empty()) {
                modules[table->begin] = table;
            }
        }
    }
    return modules;
}

Json to_json(const SymbolTable& module)
{
    return {
        {"name", module.module}, {"text", json_address(module.begin)}, {"size", module.end - module.begin}};
}

/// Whether there are no registers to show.
bool has_no_state(const CpuState& cpu)
{
    return cpu.activity == CpuActivity::kNeverStarted || cpu.activity == CpuActivity::kUnknown;
}

/// The end of the run of CPUs without state that have the same activity as CPU `begin`; `begin` if that CPU
/// has a state.
std::size_t end_of_stateless_run(const std::vector<CpuState>& cpus, std::size_t begin)
{
    std::size_t end = begin;
    while (end < cpus.size() && has_no_state(cpus[end]) && cpus[end].activity == cpus[begin].activity) {
        ++end;
    }
    return end;
}

std::string title_of(std::size_t first, std::size_t last)
{
    return first == last ? "CPU " + std::to_string(first)
                         : "CPUs " + std::to_string(first) + " to " + std::to_string(last);
}

/// Numbered ones are an array of the name that they share.
void add_general_registers(Json& json, const kmd::CpuRegisters& registers)
{
    for (std::size_t i = 0; i < registers.general.size(); ++i) {
        if (registers.general_names.empty()) {
            json[std::string(registers.general_name)].push_back(json_address(registers.general[i]));
        } else {
            json[registers.name_of(i)] = json_address(registers.general[i]);
        }
    }
}

Json to_json(std::size_t number, const CpuState& cpu, const Symbols& symbols)
{
    const kmd::CpuRegisters& registers = cpu.registers;
    Json json = {{"cpu", number},
                 {"panicked", cpu.panicked},
                 {"state", activity_words(cpu)},
                 {"in_kernel", registers.in_kernel},
                 {"pc", frame_json(symbols, {registers.pc, true})},
                 {"sp", json_address(registers.sp)}};
    if (!registers.link_name.empty()) {
        json[std::string(registers.link_name)] = frame_json(symbols, cpu.link);
    }
    if (!registers.state_name.empty()) {
        json[std::string(registers.state_name)] = json_address(registers.state);
    }
    add_general_registers(json, registers);
    add_backtrace(json, cpu.backtrace, symbols);
    return json;
}

} // namespace

std::optional<kmd::Error> print_cpus(const CpusOptions& options, const Style& style, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, options.vmlinux);
    if (!opened) {
        return opened.error();
    }
    const auto& [dump, source] = opened.value();
    const Symbols& symbols = source.symbols;
    const auto sidecar = read_sidecar(options.path);
    const auto cpus = read_cpu_states(dump, symbols, sidecar ? sidecar.value() : std::nullopt);
    if (!cpus) {
        return cpus.error();
    }
    const auto modules = modules_in_use(cpus.value(), symbols);
    if (options.json) {
        Json json = json_document("cpus", options.path);
        json["symbols"] = source.name;
        json["symbols_missing"] = json_or_null(source.missing);
        JsonStream stream(json, out);
        stream.begin_list("cpus");
        for (std::size_t i = 0; i < cpus.value().size(); ++i) {
            stream.add(to_json(i, cpus.value()[i], symbols));
        }
        stream.end_list();
        stream.begin_list("modules");
        for (const auto& [begin, module] : modules) {
            stream.add(to_json(*module));
        }
        stream.end_list();
        stream.end();
        return std::nullopt;
    }
    for (std::size_t i = 0; i < cpus.value().size();) {
        out << (i == 0 ? "" : "\n");
        const std::size_t end = end_of_stateless_run(cpus.value(), i);
        if (end > i) {
            out << style.heading(title_of(i, end - 1) + ", " + activity_words(cpus.value()[i])) << "\n";
            i = end;
        } else {
            print_cpu(i, cpus.value()[i], symbols, style, out);
            ++i;
        }
    }
    for (const auto& [begin, module] : modules) {
        out << (begin == modules.begin()->first ? "\n" : "") << "module " << escape(module->module)
            << ": code at " << kmd::hex(begin) << ", " << module->end - begin << " bytes\n";
    }
    if (source.missing) {
        out << "\nno symbols: " << *source.missing << "; --vmlinux FILE is another source\n";
    }
    return std::nullopt;
}

} // namespace kmdump
