// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/stack_scan.h"

#include "common/little_endian.h"
#include "common/stack_end.h"
#include "common/text.h"

#include <cstddef>
#include <set>
#include <vector>

namespace kmdump
{

namespace
{

/// Interrupts, exceptions and NMIs interrupt each other's stacks at most this deep.
constexpr std::size_t kMostStacks = 8;

} // namespace

Backtrace scan_stacks(const kmd::SavedRegisters& registers, const kmd::Architecture& architecture,
                      const KernelMemory& memory, const Symbols& symbols)
{
    constexpr std::uint64_t kWord = sizeof(std::uint64_t);
    const kmd::ReadWord read = [&](std::uint64_t address) { return memory.read_u64(address); };
    Backtrace trace;
    trace.frames.push_back({registers.pc, true});
    std::set<std::uint64_t> ends;
    for (std::optional<std::uint64_t> sp = registers.sp; sp && ends.size() < kMostStacks;) {
        const std::uint64_t end = kmd::end_of_stack(*sp, architecture.stack_size, read);
        if (end <= *sp) {
            trace.cut = "the stack at " + kmd::hex(*sp) + " is not in the dump";
            break;
        }
        if (!ends.insert(end).second) {
            break;
        }
        const std::uint64_t first = (*sp + kWord - 1) / kWord * kWord;
        std::vector<std::byte> stack(end - first);
        if (!memory.read(first, stack)) {
            trace.cut = "the stack at " + kmd::hex(*sp) + " is not whole in the dump";
            break;
        }
        for (std::size_t at = 0; at < stack.size(); at += kWord) {
            const auto word = kmd::load<std::uint64_t>(stack, at);
            if (!symbols.is_return_address(word)) {
                continue;
            }
            if (trace.frames.size() == Unwinder::kMostFrames) {
                trace.cut = "there are more than " + std::to_string(Unwinder::kMostFrames) + " frames";
                return trace;
            }
            trace.frames.push_back({.address = word, .possible = true});
        }
        sp = architecture.interrupted_stack(end, read);
    }
    return trace;
}

} // namespace kmdump
