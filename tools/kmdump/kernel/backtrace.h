// SPDX-License-Identifier: GPL-2.0-or-later
//
// Backtraces of CPUs and tasks, from their chains of frame records.
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
    /// The address is a program counter, not a return address.
    bool exact = false;
    /// The link register of an exact frame.
    std::uint64_t link = 0;
    /// The address comes from a link register, not from a frame record.
    bool from_link = false;
};

struct Backtrace {
    std::vector<Frame> frames; ///< innermost first
    /// Why the outermost frames are missing; empty if none are.
    std::string cut;
};

class Symbols;
class Unwinder;

/// Inserts the callers of leaf functions. A leaf function has no frame record; its caller is only in the link
/// register. Each exact frame gets one unless its link leads into the same function or is the next frame.
void add_leaf_callers(Backtrace& trace, const Unwinder& unwinder, const Symbols& symbols);

class Unwinder
{
  public:
    /// `memory` must outlive this object. Without an architecture a backtrace has one frame.
    Unwinder(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
             const kmd::Architecture* architecture);

    /// Unwinds from `pc`, with the frame record at `frame_pointer`. At most 256 frames.
    Backtrace unwind(std::uint64_t pc, std::uint64_t frame_pointer) const;

    /// A kernel address without its pointer authentication code.
    std::uint64_t strip(std::uint64_t address) const;

  private:
    const KernelMemory* memory_;
    const kmd::Architecture* architecture_;
    std::uint64_t signature_mask_ = 0; // bits of a kernel address that hold the authentication code
};

} // namespace kmdump
