// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/collect.h"
#include "hw/linux/linux_guest.h"

#include "common/linux/btf.h"

#include <algorithm>
#include <utility>

namespace kmd
{

namespace
{

/// A BUILD-ID is the name of a file. That of a kernel has 40 digits.
constexpr std::size_t kFewestDigits = 8;
constexpr std::size_t kMostDigits = 64;

/// BTF of a module. Its types continue those of the kernel.
void collect_module_types(const KernelWalk& walk, std::uint64_t entry)
{
    const std::uint64_t btf = walk.pointer(entry, "btf_module", "btf");
    const auto size_at = walk.kernel.offset("btf", "data_size");
    const std::uint64_t size = btf == 0 || !size_at ? 0 : walk.memory.read_u32(btf + *size_at).value_or(0);
    walk.add(entry, "btf_module");
    walk.add(btf, "btf");
    walk.pages.add(walk.pointer(btf, "btf", "data"), std::min<std::uint64_t>(size, Btf::kMostBytes));
}

/// Empty unless it is the name of a file and nothing else.
std::string build_id_of(const LinuxKernel& kernel)
{
    const std::string_view text = kernel.vmcoreinfo().text("BUILD-ID").value_or("");
    const bool is_sound = text.size() >= kFewestDigits && text.size() <= kMostDigits &&
                          text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return std::string(is_sound ? text : "");
}

} // namespace

void collect_types(const KernelWalk& walk)
{
    walk.add_kallsyms(walk.kernel.all_names(), walk.kernel.all_offsets());
    walk.pages.add(walk.kernel.types_at().address, walk.kernel.types_at().size);
    const auto modules = walk.kernel.symbol("btf_modules");
    const auto list = walk.kernel.offset("btf_module", "list");
    if (modules && list) {
        walk.pages.add(modules->address, 2 * sizeof(std::uint64_t));
        walk.for_each(modules->address, *list,
                      [&](std::uint64_t entry) { collect_module_types(walk, entry); });
    }
}

KernelTypes read_types(const LinuxKernel& kernel, TypesPlace place, GuestMemory& memory)
{
    const LiveKernelMemory kernel_memory(kernel.architecture(), kernel.vmcoreinfo(), memory);
    KernelTypes types;
    types.build_id = build_id_of(kernel);
    const auto [address, size] = kernel.types_at();
    if (place == TypesPlace::kInDump) {
        PageSet pages(kernel_memory);
        collect_types({kernel, kernel_memory, pages});
        types.regions = pages.regions();
        types.in_dump = size > 0;
        if (pages.left_out() > 0 || kernel_memory.budget_is_used_up()) {
            types.in_dump = false;
            types.missing = "the description of the kernel's types is larger than that of any kernel, so the "
                            "dump has only a part of it";
        }
    } else if (place == TypesPlace::kBesideDump && size > 0 && types.build_id.empty()) {
        types.missing =
            "the kernel has no BUILD-ID to name a file of its types: types=in stores them in the dump";
    } else if (place == TypesPlace::kBesideDump && size > 0) {
        types.btf.resize(size);
        if (!kernel_memory.read(address, types.btf)) {
            types.btf.clear();
            types.missing = "the description of the kernel's types is no longer in its memory";
        }
    }
    return types;
}

} // namespace kmd
