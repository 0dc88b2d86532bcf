// SPDX-License-Identifier: GPL-2.0-or-later
//
// The Linux kernel that runs in the guest, found in its memory without its help.
#pragma once

#include "common/address_range.h"
#include "common/machine.h"
#include "hw/linux/linux_kernel.h"
#include "hw/linux/vmcoreinfo_search.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

class LinuxGuest
{
  public:
    /// How many pages of 4 KiB an attempt searches for a kernel that is not known, while the guest waits: 8
    /// GiB.
    static constexpr std::uint64_t kMostPages = 1 << 21;

    /// How many to search in passing, about once a second: 256 MiB, and half of the last number after each
    /// search of all RAM that found none, down to 4 MiB, so that a guest without Linux costs next to nothing.
    std::uint64_t pages_in_passing() const { return std::uint64_t{1} << (16 - searches_); }

    /// Whether CPUs use the page tables of this vmcoreinfo's kernel for kernel addresses.
    using RunsOnCpus = std::function<bool(const Vmcoreinfo&)>;

    /// The kernel in memory now; the one of before if it panicked or still runs. Searches for at most `pages`
    /// pages if none is known. Of several in memory it is the one that `runs_on_cpus` says runs; without it,
    /// the first. Null if there is none. Valid until the next call.
    const LinuxKernel* find(const Machine& machine, GuestMemory& memory, std::uint64_t pages,
                            const RunsOnCpus& runs_on_cpus = {});

    /// The kernel of a vmcoreinfo that the guest gave; null if the text is not one, or its page tables are
    /// not there. Read anew only if the text does not begin as that of the call before. Valid until the next
    /// call.
    const LinuxKernel* find_described(const Machine& machine, GuestMemory& memory, const std::string& text);

    /// Reads what the kernel that find() returned changes while it runs, for a dump; see
    /// LinuxKernel::refresh().
    void refresh(GuestMemory& memory);

    /// The text of its vmcoreinfo when it was found last; empty if it was not. A panic appends to it.
    const std::string& vmcoreinfo_text() const { return text_; }

    /// What the kernel in memory says of itself.
    enum class Condition {
        kRunning,
        kPanicked,
        /// It is shutting down or rebooting in an orderly way.
        kEnding,
        kUnknown,
    };
    static Condition condition(const LinuxKernel& kernel, GuestMemory& memory);

    /// The machine was reset: another kernel starts.
    void forget() { *this = {}; }

  private:
    static constexpr unsigned kMostSearches = 6;

    bool is_still_there(GuestMemory& memory);

    VmcoreinfoSearch search_;
    std::uint64_t at_ = 0;
    std::string text_;
    std::optional<LinuxKernel> kernel_;
    std::optional<LinuxKernel> described_;
    /// Searches of all RAM that found no kernel, up to kMostSearches.
    unsigned searches_ = 0;
};

/// Memory of a kernel that a dump has to contain.
struct KernelRegions {
    /// The log.
    std::vector<Region> vital;
    std::vector<Region> others;
    std::uint32_t tasks = 0;
    /// Lists of the kernel that do not lead back to their beginning.
    std::uint32_t broken_lists = 0;
    /// Pages for which there was no room.
    std::uint32_t pages_left_out = 0;
    /// The search took too many steps and was ended.
    bool cut = false;
    /// The stacks of tasks in use, for read_unwinding(). Kernel virtual addresses.
    std::vector<AddressRange> stacks;
};

/// Collects the memory.
KernelRegions collect_kernel(const LinuxKernel& kernel, GuestMemory& memory);

/// Where the description of the kernel's types goes.
enum class TypesPlace { kNone, kInDump, kBesideDump };

/// The description of the kernel's types.
struct KernelTypes {
    /// BUILD-ID of the kernel: hexadecimal digits, at most 64. Empty if the kernel has none.
    std::string build_id;
    /// BTF of the kernel for a file beside the dump; empty if it goes elsewhere or there is none.
    std::vector<std::byte> btf;
    /// For the dump: BTF of the kernel and its modules, and all of kallsyms.
    std::vector<Region> regions;
    /// Whether BTF of the kernel is among them.
    bool in_dump = false;
    /// What of it is missing, and why: a sentence; empty if nothing is.
    std::string missing;
};

/// Reads it.
KernelTypes read_types(const LinuxKernel& kernel, TypesPlace place, GuestMemory& memory);

/// Memory of a kernel that a user asks for besides.
struct KernelPart {
    std::vector<Region> regions;
    /// What of it is missing, and why: one sentence each.
    std::vector<std::string> missing;
};

/// The code around return addresses on stacks, and what unwinds it, of a kernel without frame records;
/// nothing of another. `code`: further addresses of code. At most 8 MiB.
KernelPart read_unwinding(const LinuxKernel& kernel, std::span<const AddressRange> stacks,
                          std::span<const std::uint64_t> code, GuestMemory& memory);

/// All variables of a kernel, .data and .bss.
KernelPart read_data(const LinuxKernel& kernel, GuestMemory& memory);

/// The objects that kernel_objects.h names.
KernelPart read_objects(const LinuxKernel& kernel, GuestMemory& memory);

/// Offsets and addresses that readers without debugging information need, in the syntax of vmcoreinfo.
std::string layout_text(const LinuxKernel& kernel);

} // namespace kmd
