// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a CPU or a task came from: the chain of frame records that x29 points to.
#pragma once

#include "kernel_memory.h"
#include "vmcoreinfo.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kmdump
{

struct Frame {
    std::uint64_t address = 0;
    /// Where the CPU was, not where a call returns to.
    bool exact = false;
};

struct Backtrace {
    std::vector<Frame> frames; ///< innermost first
    /// Why it ends before the first frame of the stack; empty when it does not.
    std::string cut;
};

class Unwinder
{
  public:
    /// Both must outlive this object.
    Unwinder(const KernelMemory& memory, const Vmcoreinfo& vmcoreinfo);

    /// From `pc`, with the frame record at `frame_pointer`. At most 256 frames.
    Backtrace unwind(std::uint64_t pc, std::uint64_t frame_pointer) const;

    /// An address of the kernel without the signature that pointer authentication put into it.
    std::uint64_t strip(std::uint64_t address) const;

  private:
    const KernelMemory* memory_;
    std::uint64_t pac_mask_ = 0; // bits of a kernel address that hold its signature
};

} // namespace kmdump
