// SPDX-License-Identifier: GPL-2.0-or-later
//
// What unwinds calls without frame records: the code around the return addresses on stacks, and the entries
// of the kernel's ORC tables for them (Documentation/arch/x86/orc-unwinder.rst of the kernel).
#include "hw/linux/collect.h"
#include "hw/linux/linux_guest.h"

#include "common/linux/orc.h"
#include "common/little_endian.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace kmd
{

namespace
{

/// Distinct return addresses. Those of 64 tasks that sleep are some hundreds.
constexpr std::size_t kMostAddresses = 8192;
constexpr std::size_t kMostPages = 2048;
/// Some hundreds of stacks take a tenth of it.
constexpr std::uint32_t kMostSteps = 100'000;
/// A debugger that does not know the unwinding tables reads a function from its start, and somewhat behind
/// the address. Most functions are shorter. Bytes.
constexpr std::uint64_t kMostOfAFunction = 2048;

class UnwindingCollector
{
  public:
    explicit UnwindingCollector(const KernelWalk& walk)
        : walk_(walk), text_(walk.kernel.address("_stext")),
          end_of_text_(walk.kernel.address("_etext")), tables_{walk.kernel.address("__start_orc_unwind_ip"),
                                                               walk.kernel.address("__start_orc_unwind"),
                                                               walk.kernel.address("orc_lookup"), text_}
    {
    }

    /// The words from `first` to `last`, on a stack.
    void add_stack(const AddressRange& stack)
    {
        std::vector<std::byte> words(walk_.memory.page_size());
        for (std::uint64_t at = stack.first; at < stack.last;) {
            const std::uint64_t size =
                std::min(words.size() - at % words.size(), stack.last - at + 1) / sizeof(at) * sizeof(at);
            if (size == 0 || !walk_.memory.read(at, std::span(words).first(size))) {
                return;
            }
            for (std::size_t i = 0; i < size; i += sizeof(at)) {
                add_address(load<std::uint64_t>(words, i));
            }
            at += size;
        }
    }

    void add_address(std::uint64_t address)
    {
        if (address <= text_ || address > end_of_text_ || addresses_.size() == kMostAddresses ||
            !addresses_.insert(address).second) {
            return;
        }
        walk_.pages.add(std::max(text_, address - kMostOfAFunction), 2 * kMostOfAFunction);
        for (const OrcTables::Piece& piece : tables_.pieces_for(address - 1, walk_.memory)) {
            walk_.pages.add(piece.address, piece.size);
        }
    }

    bool is_full() const { return addresses_.size() == kMostAddresses; }

  private:
    const KernelWalk& walk_;
    std::uint64_t text_;
    std::uint64_t end_of_text_;
    OrcTables tables_;
    std::unordered_set<std::uint64_t> addresses_;
};

} // namespace

KernelPart read_unwinding(const LinuxKernel& kernel, std::span<const AddressRange> stacks,
                          std::span<const std::uint64_t> code, GuestMemory& memory)
{
    KernelPart part;
    if (kernel.architecture().read_frame_record != nullptr) {
        return part;
    }
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory, kMostSteps);
    PageSet pages(kernel_memory, kMostPages);
    const KernelWalk walk{kernel, kernel_memory, pages};
    UnwindingCollector collector(walk);
    for (const std::uint64_t address : code) {
        collector.add_address(address);
    }
    for (const AddressRange& stack : stacks) {
        collector.add_stack(stack);
    }
    if (collector.is_full() || pages.left_out() > 0 || kernel_memory.budget_is_used_up()) {
        part.missing.emplace_back(
            "there are more stacks than those for which a dump has code and unwinding tables, "
            "so backtraces of some tasks have possible callers only");
    }
    part.regions = pages.regions();
    return part;
}

} // namespace kmd
