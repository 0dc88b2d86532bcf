// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/backtrace.h"

#include "common/text.h"
#include "kmdump/kernel/orc_unwind.h"
#include "kmdump/kernel/symbols.h"

#include <cstddef>
#include <utility>

namespace kmdump
{

Unwinder::Unwinder(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
                   const kmd::Architecture* architecture, const Symbols& symbols,
                   const kmd::OrcTables& tables)
    : memory_(&memory), architecture_(architecture), symbols_(&symbols), orc_tables_(tables),
      signature_mask_(architecture != nullptr ? architecture->signature_mask(vmcoreinfo) : 0)
{
}

std::uint64_t Unwinder::strip(std::uint64_t address) const
{
    const bool of_kernel = architecture_ != nullptr && architecture_->is_kernel_address(address);
    return of_kernel ? address | signature_mask_ : address;
}

Backtrace Unwinder::unwind(const kmd::SavedRegisters& registers) const
{
    return architecture_ != nullptr && architecture_->read_frame_record == nullptr
               ? unwind_with_orc(registers, *architecture_, *memory_, *symbols_, orc_tables_)
               : follow_records(registers.pc, registers.frame_pointer);
}

Backtrace Unwinder::follow_records(std::uint64_t pc, std::uint64_t frame_pointer) const
{
    using Kind = kmd::FrameRecord::Kind;
    const kmd::ReadWord read = [this](std::uint64_t address) { return memory_->read_u64(address); };
    Backtrace trace;
    trace.frames.push_back({pc, true});
    std::uint64_t record = frame_pointer;
    while (architecture_ != nullptr && trace.frames.size() < kMostFrames) {
        if (!architecture_->is_kernel_address(record) || record % sizeof(record) != 0) {
            trace.cut = kmd::hex(record) + " is not a kernel frame record";
            return trace;
        }
        const kmd::FrameRecord frame = architecture_->read_frame_record(record, read);
        switch (frame.kind) {
        case Kind::kEnd:
            return trace;
        case Kind::kUnknown:
            trace.cut = "the frame record at " + kmd::hex(frame.address) + " is not in the dump";
            return trace;
        case Kind::kUnknownRegisters:
            trace.cut = "the registers at " + kmd::hex(frame.address) + " are not in the dump";
            return trace;
        case Kind::kCall:
            trace.frames.push_back({strip(frame.address), false});
            break;
        case Kind::kException:
            trace.frames.push_back({frame.address, true, frame.link});
            break;
        }
        record = frame.next;
    }
    trace.cut = architecture_ == nullptr ? "the machine is not known"
                                         : "there are more than " + std::to_string(kMostFrames) + " frames";
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
