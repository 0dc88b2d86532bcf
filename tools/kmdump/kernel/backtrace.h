// SPDX-License-Identifier: GPL-2.0-or-later
//
// Backtraces of CPUs and tasks: from their chains of frame records, or what their stacks may have of one.
#pragma once

#include "common/architecture.h"
#include "common/linux/orc.h"
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/kernel_memory.h"

#include <cstddef>
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
    /// The address is on the stack, and nothing says whether it is that of a caller.
    bool possible = false;
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
    static constexpr std::size_t kMostFrames = 256;

    /// `memory` and `symbols` must outlive this object. Without an architecture a backtrace has one frame.
    Unwinder(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo,
             const kmd::Architecture* architecture, const Symbols& symbols,
             const kmd::OrcTables& tables = {});

    /// Unwinds from `registers.pc`: with the frame record at the frame pointer, or on an architecture without
    /// frame records by unwind_with_orc(). At most kMostFrames frames.
    Backtrace unwind(const kmd::SavedRegisters& registers) const;

    /// A kernel address without its pointer authentication code.
    std::uint64_t strip(std::uint64_t address) const;

  private:
    Backtrace follow_records(std::uint64_t pc, std::uint64_t frame_pointer) const;

    const KernelMemory* memory_;
    const kmd::Architecture* architecture_;
    const Symbols* symbols_;
    kmd::OrcTables orc_tables_;
    std::uint64_t signature_mask_ = 0; // bits of a kernel address that hold the authentication code
};

} // namespace kmdump
