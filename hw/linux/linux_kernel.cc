// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/linux_kernel.h"

#include "common/linux/kallsyms.h"
#include "hw/linux/kernel_names.h"
#include "hw/linux/kernel_objects.h"

#include <algorithm>
#include <set>
#include <utility>

namespace kmd
{

namespace
{

/// More than a kernel with all options has, and bounds the time that a hostile one takes.
constexpr std::uint32_t kMostSymbols = 1 << 19;
constexpr std::uint64_t kMostNameBytes = 16 << 20;

/// Has the member of which kmd::Architecture::saved_context is the name.
constexpr std::string_view kSavedContext = "thread_struct";

/// How a member is named in the maps of LinuxKernel.
std::string dotted(std::string_view structure, std::string_view member)
{
    return std::string(structure) + "." + std::string(member);
}

std::set<std::string_view> wanted_symbols(const Architecture& architecture)
{
    std::set<std::string_view> names(kOtherSymbols.begin(), kOtherSymbols.end());
    for (const KernelVariable& variable : kKernelVariables) {
        names.insert(variable.name);
    }
    for (const KernelRoot& root : kKernelRoots) {
        names.insert(root.variable);
        if (leads_to_array(root.leads)) {
            names.insert(root.by);
        }
    }
    names.insert(kUnwindingSymbols.begin(), kUnwindingSymbols.end());
    names.insert(architecture.variables.begin(), architecture.variables.end());
    names.insert(architecture.code.begin(), architecture.code.end());
    names.insert(architecture.irq_stack_pointer);
    return names;
}

/// Those of the tables of kernel_names.h and kernel_objects.h.
std::vector<KernelMember> wanted_members()
{
    std::vector<KernelMember> members(kKernelMembers.begin(), kKernelMembers.end());
    members.insert(members.end(), {kMapleRoot, kMapleRange, kMapleAllocation});
    for (const KernelReference& row : kKernelReferences) {
        members.push_back({structure_name(row.structure), row.member});
        if (!row.by.empty()) {
            members.push_back({structure_name(leads_to_array(row.leads) ? row.structure : row.to), row.by});
        }
    }
    for (const KernelRoot& root : kKernelRoots) {
        if (!root.by.empty() && !leads_to_array(root.leads)) {
            members.push_back({structure_name(root.to), root.by});
        }
    }
    return members;
}

std::vector<std::string_view> wanted_structures(const Architecture& architecture)
{
    std::set<std::string_view> names(kKernelStructures.begin(), kKernelStructures.end());
    for (const KernelMember& member : wanted_members()) {
        names.insert(member.structure);
    }
    for (const KernelReference& row : kKernelReferences) {
        names.insert(structure_name(row.to));
    }
    for (const KernelRoot& root : kKernelRoots) {
        names.insert(structure_name(root.to));
    }
    names.insert(kSavedContext);
    if (!architecture.irq_stack_structure.empty()) {
        names.insert(architecture.irq_stack_structure);
    }
    return {names.begin(), names.end()};
}

std::vector<std::string_view> wanted_enums()
{
    std::set<std::string_view> names;
    for (const KernelEnumerator& wanted : kKernelEnumerators) {
        names.insert(wanted.enumeration);
    }
    return {names.begin(), names.end()};
}

template <class Map> auto look_up(const Map& map, std::string_view name)
{
    const auto found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional(found->second);
}

} // namespace

LinuxKernel::LinuxKernel(std::string vmcoreinfo, const Architecture& architecture)
    : vmcoreinfo_text_(std::move(vmcoreinfo)), vmcoreinfo_(vmcoreinfo_text_), architecture_(&architecture)
{
}

LinuxKernel LinuxKernel::read(std::string vmcoreinfo, const Architecture& architecture,
                              const LiveKernelMemory& memory)
{
    LinuxKernel kernel(std::move(vmcoreinfo), architecture);
    kernel.read_symbols(memory);
    kernel.read_types(memory);
    return kernel;
}

void LinuxKernel::read_symbols(const LiveKernelMemory& memory)
{
    const auto opened = Kallsyms::open(memory, vmcoreinfo_);
    if (!opened) {
        missing_.push_back(opened.error().what);
        return;
    }
    const Kallsyms& table = opened.value();
    const auto base = table.base_at() ? memory.read_u64(*table.base_at()) : std::nullopt;
    if (table.base_at() && !base) {
        missing_.push_back(kallsyms_missing("kallsyms_relative_base", *table.base_at()).what);
        return;
    }
    const auto wanted = wanted_symbols(*architecture_);
    auto cursor = table.cursor();
    std::vector<std::map<std::string, Symbol, std::less<>>::iterator> last;
    std::uint32_t index = 0;
    std::uint64_t name_bytes = 0;
    std::uint64_t end_of_text = 0;
    for (; index < std::min(table.count(), kMostSymbols); ++index) {
        const auto entry = cursor.next();
        if (!entry) {
            break;
        }
        name_bytes = cursor.name_bytes();
        if (name_bytes > kMostNameBytes) {
            break;
        }
        const std::uint64_t address = table.address(index, entry->offset, base);
        if (!last.empty() && last.front()->second.address != address) {
            std::ranges::for_each(
                last, [&](auto symbol) { symbol->second.room = address - symbol->second.address; });
            last.clear();
        }
        if (entry->name == kEndOfText) {
            end_of_text = address;
        }
        if (entry->name == kEndOfText || entry->name == kEndOfInitText) {
            function_names_ = name_bytes;
            function_offsets_ = std::uint64_t{4} * (index + 1);
        }
        if (wanted.contains(entry->name)) {
            const auto [symbol, is_new] = symbols_.emplace(entry->name, Symbol{address, 0});
            if (is_new) {
                last.push_back(symbol);
            }
        }
    }
    all_names_ = name_bytes;
    all_offsets_ = std::uint64_t{4} * index;
    if (index < table.count()) {
        missing_.push_back("only " + std::to_string(index) + " of the kernel's " +
                           std::to_string(table.count()) + " symbols can be read");
    }
    if (!symbol("init_task")) {
        // All of them are functions.
        function_names_ = all_names_;
        function_offsets_ = all_offsets_;
        find_unnamed_data(memory, wanted, end_of_text);
    }
}

void LinuxKernel::read_types(const LiveKernelMemory& memory)
{
    const std::uint64_t begin = address("__start_BTF");
    const std::uint64_t end = address("__stop_BTF");
    if (begin == 0 || end <= begin || end - begin > Btf::kMostBytes) {
        missing_.push_back(
            "the kernel has no description of its types (CONFIG_DEBUG_INFO_BTF) that can be found");
        return;
    }
    std::vector<std::byte> bytes(end - begin);
    if (!memory.read(begin, bytes)) {
        missing_.push_back("the kernel's description of its types (BTF) is not in memory");
        return;
    }
    const auto structures = wanted_structures(*architecture_);
    auto btf = Btf::parse(std::move(bytes), structures, wanted_enums());
    if (!btf) {
        missing_.push_back(btf.error().what);
        return;
    }
    types_at_ = {begin, end - begin};
    for (const std::string_view structure : structures) {
        if (const auto size = btf.value().size_of(structure)) {
            sizes_.emplace(structure, *size);
        }
    }
    for (const KernelMember& wanted : wanted_members()) {
        if (const auto member = btf.value().find(wanted.structure, wanted.member)) {
            members_.emplace(dotted(wanted.structure, wanted.member), *member);
        }
    }
    if (const auto member = btf.value().find(kSavedContext, architecture_->saved_context)) {
        members_.emplace(dotted(kSavedContext, architecture_->saved_context), *member);
    }
    if (image_size_ > 0) {
        find_per_cpu_variables(btf.value());
    }
    for (const KernelEnumerator& wanted : kKernelEnumerators) {
        if (const auto value = btf.value().enumerator(wanted.enumeration, wanted.name)) {
            enumerators_.emplace(dotted(wanted.enumeration, wanted.name), *value);
        }
    }
}

std::optional<LinuxKernel::Symbol> LinuxKernel::symbol(std::string_view name) const
{
    return look_up(symbols_, name);
}

std::uint64_t LinuxKernel::address(std::string_view name) const
{
    const auto found = symbol(name);
    return found ? found->address : 0;
}

std::optional<std::uint64_t> LinuxKernel::size_of(std::string_view structure) const
{
    return look_up(sizes_, structure);
}

std::optional<std::uint64_t> LinuxKernel::offset(std::string_view structure, std::string_view member) const
{
    const auto found = look_up(members_, dotted(structure, member));
    return found ? std::optional(found->offset) : std::nullopt;
}

std::optional<std::uint64_t> LinuxKernel::member_size(std::string_view structure,
                                                      std::string_view member) const
{
    const auto found = look_up(members_, dotted(structure, member));
    return found ? std::optional(found->size) : std::nullopt;
}

std::optional<LinuxKernel::ModuleMemory> LinuxKernel::module_memory(std::string_view type,
                                                                    std::string_view layout) const
{
    if (const auto all = offset("module", "mem")) {
        const auto index = enumerator("mod_mem_type", type);
        const auto size = size_of("module_memory");
        const auto base = offset("module_memory", "base");
        const auto size_at = offset("module_memory", "size");
        if (!index || !size || !base || !size_at) {
            return std::nullopt;
        }
        const std::uint64_t one = *all + static_cast<std::uint64_t>(*index) * *size;
        return ModuleMemory{one + *base, one + *size_at, one + *size_at};
    }
    const auto one = offset("module", layout);
    const auto base = offset("module_layout", "base");
    const auto size_at = offset("module_layout", "size");
    const auto text_size = offset("module_layout", "text_size");
    return one && base && size_at && text_size
               ? std::optional(ModuleMemory{*one + *base, *one + *size_at, *one + *text_size})
               : std::nullopt;
}

std::optional<std::int64_t> LinuxKernel::enumerator(std::string_view enumeration, std::string_view name) const
{
    return look_up(enumerators_, dotted(enumeration, name));
}

} // namespace kmd
