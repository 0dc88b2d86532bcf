// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a CPU or a task came from: the chain of its frame records.
#pragma once

#include "common/architecture.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kmdump
{

struct Frame {
    std::uint64_t address = 0;
    /// Where the CPU was, not where a call returns to.
    bool exact = false;
    /// Of an exact one: its link register.
    std::uint64_t link = 0;
    /// Out of such a register, not out of a frame record.
    bool from_link = false;
};

struct Backtrace {
    std::vector<Frame> frames; ///< innermost first
    /// Why it ends before the first frame of the stack; empty when it does not.
    std::string cut;
};

class Symbols;
class Unwinder;

/// A function that calls none has no frame record, and its caller is in the link register alone: puts that in
/// behind each exact frame whose link leads to another function than its own and than the record says.
void add_leaf_callers(Backtrace& trace, const Unwinder& unwinder, const Symbols& symbols);

class Unwinder
{
  public:
    /// `memory` must outlive this object. Without an architecture no frame is known but the first.
    Unwinder(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
             const kmd::Architecture* architecture);

    /// From `pc`, with the frame record at `frame_pointer`. At most 256 frames.
    Backtrace unwind(std::uint64_t pc, std::uint64_t frame_pointer) const;

    /// An address of the kernel without the signature that pointer authentication put into it.
    std::uint64_t strip(std::uint64_t address) const;

  private:
    const KernelMemory* memory_;
    const kmd::Architecture* architecture_;
    std::uint64_t signature_mask_ = 0; // bits of a kernel address that hold its signature
};

} // namespace kmdump
