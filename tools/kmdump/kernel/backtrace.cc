// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/backtrace.h"

#include "common/text.h"
#include "kmdump/kernel/symbols.h"

#include <cstddef>
#include <utility>

namespace kmdump
{

namespace
{

constexpr std::size_t kMostFrames = 256;

/// An address of the kernel has this bit, whatever its width and tags.
constexpr std::uint64_t kKernelBit = std::uint64_t{1} << 55;

/// A record of two zeros ends the chain, or says in the next word how it goes on (since Linux 6.13): here,
/// with the registers that an exception saved around the record. Offsets in struct pt_regs, in bytes.
constexpr std::uint64_t kMetaRegisters = 2;
constexpr std::uint64_t kRecordInRegisters = 296;
constexpr std::uint64_t kX29 = 29 * sizeof(std::uint64_t);
constexpr std::uint64_t kX30 = 30 * sizeof(std::uint64_t);
constexpr std::uint64_t kPc = 32 * sizeof(std::uint64_t);

} // namespace

Unwinder::Unwinder(const KernelMemory& memory, const Vmcoreinfo& vmcoreinfo)
    : memory_(&memory), pac_mask_(vmcoreinfo.number("NUMBER(KERNELPACMASK)").value_or(0))
{
}

std::uint64_t Unwinder::strip(std::uint64_t address) const
{
    return (address & kKernelBit) != 0 ? address | pac_mask_ : address;
}

Backtrace Unwinder::unwind(std::uint64_t pc, std::uint64_t frame_pointer) const
{
    Backtrace trace;
    trace.frames.push_back({pc, true});
    std::uint64_t record = frame_pointer;
    while (trace.frames.size() < kMostFrames) {
        if ((record & kKernelBit) == 0 || record % 8 != 0) {
            trace.cut = kmd::hex(record) + " is no frame record of the kernel";
            return trace;
        }
        const auto next = memory_->read_u64(record);
        const auto address = memory_->read_u64(record + 8);
        if (!next || !address) {
            trace.cut = "the frame record at " + kmd::hex(record) + " is not in the dump";
            return trace;
        }
        if (*next != 0 || *address != 0) {
            trace.frames.push_back({strip(*address), false});
            record = *next;
            continue;
        }
        if (memory_->read_u64(record + 16) != kMetaRegisters) {
            return trace;
        }
        const std::uint64_t registers = record - kRecordInRegisters;
        const auto interrupted = memory_->read_u64(registers + kPc);
        const auto outer = memory_->read_u64(registers + kX29);
        if (!interrupted || !outer) {
            trace.cut = "the registers at " + kmd::hex(registers) + " are not in the dump";
            return trace;
        }
        if ((*interrupted & kKernelBit) == 0) {
            return trace; // the kernel was entered from a program here
        }
        trace.frames.push_back({*interrupted, true, memory_->read_u64(registers + kX30).value_or(0)});
        record = *outer;
    }
    trace.cut = "there are more than " + std::to_string(kMostFrames) + " frames";
    return trace;
}

void add_leaf_callers(Backtrace& trace, const Unwinder& unwinder, const Symbols& symbols)
{
    std::vector<Frame> frames;
    for (std::size_t i = 0; i < trace.frames.size(); ++i) {
        const Frame& frame = trace.frames[i];
        frames.push_back(frame);
        const std::uint64_t link = unwinder.strip(frame.link);
        if (!frame.exact || link == 0 ||
            (i + 1 < trace.frames.size() && trace.frames[i + 1].address == link)) {
            continue;
        }
        const auto place = symbols.find(frame.address);
        const auto caller = symbols.find_caller(link);
        if (place && caller && place->name != caller->name) {
            frames.push_back({link, false, 0, true});
        }
    }
    trace.frames = std::move(frames);
}

} // namespace kmdump
