// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/orc_unwind.h"

#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/stack_scan.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

using kmd::OrcEntry;

constexpr std::uint64_t kWord = sizeof(std::uint64_t);
/// Offsets in struct pt_regs of x86-64, and from its member ip on.
constexpr std::uint64_t kBpInRegs = 4 * kWord;
constexpr std::uint64_t kIpInRegs = 16 * kWord;
constexpr std::uint64_t kCsBehindIp = 1 * kWord;
constexpr std::uint64_t kSpBehindIp = 3 * kWord;
/// Bits of cs: not 0 in a program.
constexpr std::uint64_t kPrivilege = 3;

/// What a step starts from: the registers in a function.
struct State {
    std::uint64_t ip = 0;
    std::uint64_t sp = 0;
    std::uint64_t bp = 0;
    /// `ip` is where a call returns to.
    bool called = false;
};

enum class Step { kCaller, kEnd, kUnknown };

class OrcUnwind
{
  public:
    OrcUnwind(const kmd::SavedRegisters& registers, const KernelMemory& memory, const kmd::OrcTables& tables)
        : state_{registers.pc, registers.sp, registers.frame_pointer, registers.called}, memory_(memory),
          tables_(tables)
    {
    }

    const State& state() const { return state_; }

    /// Goes to the caller, or to what was interrupted.
    Step step()
    {
        const auto entry = tables_.find(state_.ip - (state_.called ? 1 : 0), memory_);
        if (entry && entry->type == OrcEntry::kEndOfStack) {
            return Step::kEnd;
        }
        const auto sp = entry ? caller_sp(*entry) : std::nullopt;
        if (!sp) {
            return Step::kUnknown;
        }
        const auto bp = caller_bp(*entry, *sp);
        switch (entry->type) {
        case OrcEntry::kCall:
            return go_to(memory_.read_u64(*sp - kWord), *sp, bp, true);
        case OrcEntry::kRegs:
            return go_to_interrupted(*sp + kIpInRegs, memory_.read_u64(*sp + kBpInRegs));
        case OrcEntry::kRegsPartial:
            return go_to_interrupted(*sp, bp);
        default:
            return Step::kUnknown;
        }
    }

  private:
    std::optional<std::uint64_t> caller_sp(const OrcEntry& entry) const
    {
        const auto offset = static_cast<std::uint64_t>(std::int64_t{entry.sp_offset});
        const auto plus_offset = [&](std::optional<std::uint64_t> base) {
            return base ? std::optional(*base + offset) : std::nullopt;
        };
        switch (entry.sp_register) {
        case OrcEntry::kSp:
            return state_.sp + offset;
        case OrcEntry::kBp:
            return state_.bp + offset;
        case OrcEntry::kSpIndirect:
            return plus_offset(memory_.read_u64(state_.sp));
        case OrcEntry::kBpIndirect:
            return memory_.read_u64(state_.bp + offset);
        default:
            return std::nullopt;
        }
    }

    std::optional<std::uint64_t> caller_bp(const OrcEntry& entry, std::uint64_t sp) const
    {
        const auto offset = static_cast<std::uint64_t>(std::int64_t{entry.bp_offset});
        switch (entry.bp_register) {
        case OrcEntry::kPreviousSp:
            return memory_.read_u64(sp + offset);
        case OrcEntry::kBp:
            return memory_.read_u64(state_.bp + offset);
        default:
            return state_.bp;
        }
    }

    Step go_to(std::optional<std::uint64_t> ip, std::uint64_t sp, std::optional<std::uint64_t> bp,
               bool called)
    {
        if (!ip || !bp) {
            return Step::kUnknown;
        }
        state_ = {*ip, sp, *bp, called};
        return Step::kCaller;
    }

    /// `ip_at`: where the CPU saved the address at which it was interrupted.
    Step go_to_interrupted(std::uint64_t ip_at, std::optional<std::uint64_t> bp)
    {
        const auto cs = memory_.read_u64(ip_at + kCsBehindIp);
        const auto sp = memory_.read_u64(ip_at + kSpBehindIp);
        if (cs && (*cs & kPrivilege) != 0) {
            return Step::kEnd;
        }
        return sp ? go_to(memory_.read_u64(ip_at), *sp, bp, false) : Step::kUnknown;
    }

    State state_;
    const KernelMemory& memory_;
    const kmd::OrcTables& tables_;
};

/// Whether the release is one before Linux 6.4.
bool has_old_entries(std::string_view release)
{
    unsigned major = 0;
    unsigned minor = 0;
    const auto [dot, error] = std::from_chars(release.data(), release.data() + release.size(), major);
    if (error == std::errc() && dot != release.data() + release.size()) {
        std::from_chars(dot + 1, release.data() + release.size(), minor);
    }
    return major < 6 || (major == 6 && minor < 4);
}

} // namespace

kmd::OrcTables find_orc_tables(const Dump& dump, const Symbols& symbols)
{
    const kmd::Vmcoreinfo layout = find_layout(dump.core);
    const auto address_of = [&](const std::string& name) {
        const auto address = layout.symbol("SYMBOL(" + name + ")");
        return address ? *address : symbols.address_of(name).value_or(0);
    };
    kmd::OrcTables tables;
    tables.addresses = address_of("__start_orc_unwind_ip");
    tables.entries = address_of("__start_orc_unwind");
    tables.lookup = address_of("orc_lookup");
    tables.text = address_of("_stext");
    tables.old = has_old_entries(dump.vmcoreinfo.text("OSRELEASE").value_or(""));
    // Each task that sleeps has an address of schedule() on its stack.
    std::vector<std::uint64_t> samples;
    for (const char* const name : {"schedule", "__schedule", "panic", "vpanic"}) {
        if (const auto address = symbols.address_of(name)) {
            samples.push_back(*address);
        }
    }
    tables.find_numbering(samples, dump.memory());
    return tables;
}

Backtrace unwind_with_orc(const kmd::SavedRegisters& registers, const kmd::Architecture& architecture,
                          const KernelMemory& memory, const Symbols& symbols, const kmd::OrcTables& tables)
{
    Backtrace trace;
    trace.frames.push_back({registers.pc, true});
    OrcUnwind unwind(registers, memory, tables);
    while (trace.frames.size() < Unwinder::kMostFrames) {
        const Step step = unwind.step();
        if (step == Step::kEnd) {
            return trace;
        }
        const State& state = unwind.state();
        if (step == Step::kUnknown) {
            Backtrace rest = scan_stacks({.pc = state.ip, .sp = state.sp}, architecture, memory, symbols);
            trace.frames.insert(trace.frames.end(), rest.frames.begin() + 1, rest.frames.end());
            trace.cut = std::move(rest.cut);
            return trace;
        }
        trace.frames.push_back({state.ip, !state.called});
    }
    trace.cut = "there are more than " + std::to_string(Unwinder::kMostFrames) + " frames";
    return trace;
}

} // namespace kmdump
