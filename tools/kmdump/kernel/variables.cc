// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/variables.h"

#include "common/text.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/text/number.h"

#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace kmdump
{

namespace
{

struct VariableType {
    std::string_view name;
    std::string_view type;
};

/// Of variables that dumps have and that have had the same type since Linux 6.1.
constexpr auto kVariableTypes = std::to_array<VariableType>({
    {"__cpu_active_mask", "cpumask"},
    {"__cpu_online_mask", "cpumask"},
    {"__cpu_possible_mask", "cpumask"},
    {"__cpu_present_mask", "cpumask"},
    {"init_mm", "mm_struct"},
    {"init_pid_ns", "pid_namespace"},
    {"init_task", "task_struct"},
    {"init_uts_ns", "uts_namespace"},
    {"jiffies_64", "u64"},
    {"modules", "list_head"},
    {"nr_cpu_ids", "unsigned int"},
    {"nr_threads", "int"},
    {"panic_cpu", "atomic_t"},
    {"pid_max", "int"},
    {"prb", "printk_ringbuffer *"},
    {"root_task_group", "task_group"},
    {"saved_command_line", "char *"},
    {"slab_caches", "list_head"},
    {"system_state", "system_states"},
    {"tainted_mask", "unsigned long"},
});

constexpr std::uint32_t kNamedKinds[] = {BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_TYPEDEF,
                                         BTF_KIND_INT,    BTF_KIND_ENUM,  BTF_KIND_ENUM64};
constexpr std::string_view kPerCpuSection = ".data..percpu";
constexpr std::uint64_t kMostCpus = 8192;

std::uint32_t find_kind(const Types& types, const std::string& name, std::uint32_t kind)
{
    const int id = btf__find_by_name_kind(types.handle.get(), name.c_str(), kind);
    return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

std::uint32_t find_pointer_to(const Types& types, std::uint32_t wanted)
{
    const std::uint32_t count = btf__type_cnt(types.handle.get());
    for (std::uint32_t id = 1; id < count; ++id) {
        const btf_type* const type = btf__type_by_id(types.handle.get(), id);
        if (type != nullptr && btf_is_ptr(type) && plain_type(types, type->type) == wanted) {
            return id;
        }
    }
    return 0;
}

/// "task_struct", "struct task_struct", "u64" or "char *". An error if the kernel has no such type.
kmd::Result<std::uint32_t> find_type(const Types& types, const std::string& text)
{
    std::string name = text;
    unsigned stars = 0;
    while (!name.empty() && (name.back() == '*' || name.back() == ' ')) {
        stars += name.back() == '*' ? 1 : 0;
        name.pop_back();
    }
    for (const std::string_view keyword : {"struct ", "union ", "enum "}) {
        if (name.starts_with(keyword)) {
            name.erase(0, keyword.size());
        }
    }
    std::uint32_t id = 0;
    for (const std::uint32_t kind : kNamedKinds) {
        id = id == 0 ? find_kind(types, name, kind) : id;
    }
    for (; id != 0 && stars > 0; --stars) {
        id = find_pointer_to(types, plain_type(types, id));
    }
    if (id == 0) {
        return kmd::Error{"the kernel has no type '" + kmd::printable(text) +
                          "': expected one such as task_struct, 'list_head *' or u64"};
    }
    return id;
}

/// The type of a variable in BTF, 0 if it is not there; and whether each CPU has its own instance.
struct DescribedVariable {
    std::uint32_t type = 0;
    bool per_cpu = false;
};

DescribedVariable describe_variable(const Types& types, const std::string& name)
{
    const std::uint32_t id = find_kind(types, name, BTF_KIND_VAR);
    const std::uint32_t section = find_kind(types, std::string(kPerCpuSection), BTF_KIND_DATASEC);
    if (id == 0) {
        return {};
    }
    const btf_type* const members = btf__type_by_id(types.handle.get(), section);
    const auto* const first = section == 0 ? nullptr : btf_var_secinfos(members);
    const bool per_cpu =
        first != nullptr && std::any_of(first, first + btf_vlen(members),
                                        [&](const btf_var_secinfo& variable) { return variable.type == id; });
    return {btf__type_by_id(types.handle.get(), id)->type, per_cpu};
}

kmd::Result<std::uint32_t> type_of_base(const Types& types, const std::string& name,
                                        const std::string& wanted, const DescribedVariable& described)
{
    if (!wanted.empty()) {
        return find_type(types, wanted);
    }
    if (described.type != 0) {
        return described.type;
    }
    const auto* const known =
        std::find_if(kVariableTypes.begin(), kVariableTypes.end(),
                     [&](const VariableType& variable) { return variable.name == name; });
    if (known == kVariableTypes.end()) {
        return kmd::Error{"the type of '" + kmd::printable(name) +
                          "' is not known: name it with --type, as in "
                          "--type task_struct or --type 'unsigned long'"};
    }
    return find_type(types, std::string(known->type));
}

/// How far the instance of a CPU is from the address of the variable.
kmd::Result<std::uint64_t> per_cpu_offset(const ValueSource& source, const std::string& name,
                                          std::optional<std::uint64_t> cpu)
{
    if (!cpu) {
        return kmd::Error{"each CPU has its own '" + kmd::printable(name) + "': choose one with --cpu"};
    }
    const auto offsets = address_of_symbol(source.dump, source.symbols, "__per_cpu_offset");
    const auto offset = offsets && *cpu < kMostCpus
                            ? source.dump.memory().read_u64(*offsets + sizeof(std::uint64_t) * *cpu)
                            : std::nullopt;
    if (!offset) {
        return kmd::Error{"the dump does not say where the variables of CPU " + std::to_string(*cpu) +
                          " are"};
    }
    return *offset;
}

} // namespace

std::optional<std::uint64_t> address_of_symbol(const Dump& dump, const Symbols& symbols,
                                               const std::string& name)
{
    const std::string key = "SYMBOL(" + name + ")";
    if (const auto found = symbols.address_of(name)) {
        return found;
    }
    const auto found = find_layout(dump.core).symbol(key);
    return found ? found : dump.vmcoreinfo.symbol(key);
}

kmd::Error unknown_symbol(const std::string& name)
{
    return {
        "expected an address such as 0xffff800080000000 or a symbol of the kernel, found '" +
        kmd::printable(name) +
        "'; most dumps name functions and few variables: those of types=in name all, as does a vmlinux file: "
        "--vmlinux FILE"};
}

kmd::Result<ValuePlace> find_base(const ValueSource& source, const std::string& name, const std::string& type,
                                  std::optional<std::uint64_t> cpu)
{
    auto address = parse_hexadecimal(name);
    const auto described = address ? DescribedVariable{} : describe_variable(source.types, name);
    if (!address) {
        address = address_of_symbol(source.dump, source.symbols, name);
    }
    if (!address) {
        return unknown_symbol(name);
    }
    const auto found = type_of_base(source.types, name, type, described);
    if (!found) {
        return found.error();
    }
    if (described.per_cpu) {
        const auto offset = per_cpu_offset(source, name, cpu);
        if (!offset) {
            return offset.error();
        }
        *address += offset.value();
    }
    return ValuePlace{*address, found.value(), 0, 0};
}

} // namespace kmdump
