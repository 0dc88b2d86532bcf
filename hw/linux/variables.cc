// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/collect.h"
#include "hw/linux/kernel_names.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace kmd
{

namespace
{

constexpr std::uint64_t kPointer = sizeof(std::uint64_t);
/// For a variable that reaches to the next symbol, which may be far away.
constexpr std::uint64_t kMostOfAVariable = 16 << 10;
/// More than the instructions that a debugger looks at. Bytes.
constexpr std::uint64_t kMostOfCode = 16 << 10;
/// For an array of names; KASAN adds kilobytes of padding.
constexpr std::uint64_t kMostOfNames = 1 << 10;
constexpr std::uint64_t kNameBytes = 32;
/// For a structure whose type the kernel does not describe.
constexpr std::uint64_t kStructureBytes = 512;
/// More than MAX_NUMNODES of any kernel, and the roots of the memory sections of one with 52-bit addresses.
constexpr std::uint64_t kMostNodes = 1024;
constexpr std::uint64_t kMostRoots = 1 << 17;

void collect_variable(const KernelWalk& walk, const KernelVariable& variable)
{
    const auto symbol = walk.kernel.symbol(variable.name);
    if (!symbol) {
        return;
    }
    const std::uint64_t most = variable.what == kAndNames     ? kMostOfNames
                               : variable.what == kWordPerCpu ? kPointer * KernelWalk::kMostCpus
                                                              : kMostOfAVariable;
    const std::uint64_t size = std::clamp<std::uint64_t>(symbol->room, kPointer, most);
    walk.pages.add(symbol->address, size);
    if (variable.what == kAndStructure) {
        walk.pages.add(walk.memory.pointer(symbol->address), kStructureBytes);
    } else if (variable.what == kAndNames) {
        for (std::uint64_t at = 0; at + kPointer <= size; at += kPointer) {
            walk.pages.add(walk.memory.pointer(symbol->address + at), kNameBytes);
        }
    }
}

/// How long an array is that is known by its export only is not known: it is read to its first empty place.
void collect_nodes(const KernelWalk& walk)
{
    const auto array = walk.kernel.symbol("node_data");
    if (!array) {
        return;
    }
    const std::uint64_t count = array->room == 0 ? kMostNodes : std::min(array->room / kPointer, kMostNodes);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t node = walk.memory.pointer(array->address + kPointer * i);
        if (node == 0 && array->room == 0) {
            return;
        }
        walk.add(node, "pglist_data");
    }
}

/// With CONFIG_SPARSEMEM_EXTREME, mem_section points to an array of pointers to pages of sections.
void collect_memory_sections(const KernelWalk& walk)
{
    const auto usage_at = walk.kernel.offset("mem_section", "usage");
    // The value of the pointer: vmcoreinfo has it as that of an array.
    const std::uint64_t roots = walk.kernel.vmcoreinfo().symbol("SYMBOL(mem_section)").value_or(0);
    const auto count = walk.kernel.vmcoreinfo().number("LENGTH(mem_section)");
    const auto size = walk.kernel.vmcoreinfo().number("SIZE(mem_section)");
    if (roots == 0 || !count || *count > kMostRoots || !size || *size == 0) {
        return;
    }
    std::vector<std::uint64_t> leaves(*count);
    if (!walk.memory.read(roots, std::as_writable_bytes(std::span(leaves)))) {
        return;
    }
    // crash reads all of it at its start, though memory is in few parts of the address space.
    walk.pages.add(roots, leaves.size() * kPointer);
    for (const std::uint64_t value : leaves) {
        const std::uint64_t leaf = walk.memory.as_pointer(value);
        if (leaf == 0 || walk.memory.budget_is_used_up()) {
            continue;
        }
        walk.pages.add(leaf, walk.memory.page_size());
        for (std::uint64_t at = 0; usage_at && at + *size <= walk.memory.page_size(); at += *size) {
            const std::uint64_t usage = walk.memory.pointer(leaf + at + *usage_at);
            walk.add(usage, "mem_section_usage");
        }
    }
}

} // namespace

void collect_variables(const KernelWalk& walk)
{
    for (const KernelVariable& variable : kKernelVariables) {
        collect_variable(walk, variable);
    }
    for (const std::string_view name : walk.kernel.architecture().variables) {
        collect_variable(walk, {name});
    }
    for (const std::string_view name : walk.kernel.architecture().code) {
        walk.pages.add(walk.kernel.address(name), kMostOfCode);
    }
    for (const AddressRange& range : walk.kernel.unnamed_data()) {
        walk.pages.add(range.first, range.last - range.first + 1);
    }
    walk.add_kallsyms(walk.kernel.function_names(), walk.kernel.function_offsets());
    collect_nodes(walk);
    collect_memory_sections(walk);
}

bool collect_data(const KernelWalk& walk)
{
    // Those of a kernel that does not name them are in each dump.
    bool found = !walk.kernel.unnamed_data().empty();
    for (const auto& [first, end] : {std::pair("_sdata", "_edata"), std::pair("__bss_start", "__bss_stop")}) {
        const std::uint64_t begin = walk.kernel.address(first);
        const std::uint64_t stop = walk.kernel.address(end);
        if (begin != 0 && stop > begin) {
            walk.pages.add(begin, stop - begin);
            found = true;
        }
    }
    return found;
}

} // namespace kmd
