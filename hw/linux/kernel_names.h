// SPDX-License-Identifier: GPL-2.0-or-later
//
// The names in a Linux kernel that capture without a driver needs: variables, structures and their members.
// Those of an architecture are in kmd::Architecture.
#pragma once

#include <array>
#include <string_view>

namespace kmd
{

/// A variable that debuggers read at their start, or whose value is of use by itself.
struct KernelVariable {
    std::string_view name;
    enum class What {
        kItself,
        /// The strings that it points to as well.
        kAndNames,
        /// The structure that it points to as well.
        kAndStructure,
        /// It is a word for each CPU that the kernel is built for.
        kWordPerCpu,
    } what = What::kItself;
};

using enum KernelVariable::What;

/// Those that a kernel does not have are left out.
inline constexpr auto kKernelVariables = std::to_array<KernelVariable>({
    {"__cpu_active_mask"},
    {"__cpu_online_mask"},
    {"__cpu_possible_mask"},
    {"__cpu_present_mask"},
    {"__per_cpu_offset", kWordPerCpu},
    {"_totalram_pages"},
    {"arch_task_struct_size"},
    {"avenrun"},
    {"bus_kset", kAndStructure},
    {"clear_seq"},
    {"crash_notes"},
    {"devices_kset", kAndStructure},
    {"empty_zero_page"},
    {"high_memory"},
    {"huge_zero_pfn"},
    {"init_mm"},
    {"init_pid_ns"},
    {"init_task"},
    {"init_uts_ns"},
    {"jiffies_64"},
    {"kmem_cache", kAndStructure},
    {"linux_banner"},
    {"log_buf_len"},
    {"mem_section"},
    {"memory_subsys"},
    {"modules"},
    {"mt_pivots"},
    {"mt_slots"},
    {"node_data"},
    {"node_states"},
    {"nr_cpu_ids"},
    {"nr_irqs"},
    {"nr_swapfiles"},
    {"nr_threads"},
    {"pageflag_names", kAndNames},
    {"panic_cpu"},
    {"pcpu_base_addr"},
    {"pcpu_unit_offsets"},
    {"pcpu_unit_size"},
    {"pid_max"},
    {"prb"},
    {"printk_rb_dynamic"},
    {"printk_rb_static"},
    {"root_task_group"},
    {"saved_command_line"},
    {"shadow_timekeeper"},
    {"slab_caches"},
    {"swapper_pg_dir"},
    {"system_state"},
    {"taint_flags"},
    {"tainted_mask"},
    {"task_state_array", kAndNames},
    {"timekeeper_data"},
    {"tk_core"},
    {"total_nr_irqs"},
    {"vmcoreinfo_data"},
    {"vmcoreinfo_note"},
    {"vmcoreinfo_size"},
    {"zero_pfn"},
});

/// Further symbols that are looked up but are no variables to save.
inline constexpr auto kOtherSymbols = std::to_array<std::string_view>({
    "__bss_start",
    "__bss_stop",
    "__start_BTF",
    "__stop_BTF",
    "__per_cpu_start",
    "__per_cpu_end",
    "btf_modules",
    "init_stack",
    "__end_init_stack",
    "_edata",
    "_sdata",
    "runqueues",
});

/// Where the kernel's text is, and the tables by which it unwinds without frame records.
inline constexpr auto kUnwindingSymbols = std::to_array<std::string_view>(
    {"_stext", "_etext", "__start_orc_unwind_ip", "__start_orc_unwind", "orc_lookup"});

/// Per-CPU variables that kernels export to modules and describe in their types, which tells where the others
/// are.
inline constexpr auto kExportedPerCpuVariables =
    std::to_array<std::string_view>({"kstat", "numa_node", "cpu_number"});

/// The area of per-CPU variables in the kernel's image, from which those of the CPUs are copied.
inline constexpr std::string_view kPerCpuArea = "__per_cpu_start";

/// The last symbols of functions: those of the kernel's text, and those that run once at the start.
inline constexpr std::string_view kEndOfText = "_etext";
inline constexpr std::string_view kEndOfInitText = "_einittext";

/// `member`: may be a path, such as "f_path.mnt".
struct KernelMember {
    std::string_view structure;
    std::string_view member;
};

inline constexpr auto kKernelMembers = std::to_array<KernelMember>({
    {"attribute", "name"},
    {"attribute_group", "bin_attrs"},
    {"bin_attribute", "attr"},
    {"bin_attribute", "private"},
    {"bin_attribute", "size"},
    {"btf", "data"},
    {"btf", "data_size"},
    {"btf_module", "btf"},
    {"btf_module", "list"},
    {"cfs_rq", "nr_running"},
    {"idr", "idr_rt"},
    {"mem_section", "usage"},
    {"mm_struct", "arg_start"},
    {"mm_struct", "env_end"},
    {"mm_struct", "pgd"},
    {"mm_struct", "rss_stat"},
    {"mod_kallsyms", "num_symtab"},
    {"mod_kallsyms", "strtab"},
    {"mod_kallsyms", "symtab"},
    {"mod_kallsyms", "typetab"},
    {"module", "core_layout"},
    {"module", "gpl_syms"},
    {"module", "init_layout"},
    {"module", "kallsyms"},
    {"module", "list"},
    {"module", "mem"},
    {"module", "name"},
    {"module", "notes_attrs"},
    {"module", "num_gpl_syms"},
    {"module", "num_syms"},
    {"module", "sect_attrs"},
    {"module", "syms"},
    {"module_layout", "base"},
    {"module_layout", "size"},
    {"module_layout", "text_size"},
    {"module_memory", "base"},
    {"module_memory", "size"},
    {"percpu_counter", "counters"},
    {"pid", "tasks"},
    {"pid_namespace", "idr"},
    {"rq", "idle"},
    {"sched_entity", "cfs_rq"},
    {"sched_entity", "parent"},
    {"sched_entity", "sum_exec_runtime"},
    {"signal_struct", "thread_head"},
    {"task_struct", "__state"},
    {"task_struct", "comm"},
    {"task_struct", "exit_state"},
    {"task_struct", "mm"},
    {"task_struct", "on_cpu"},
    {"task_struct", "pid"},
    {"task_struct", "se"},
    {"task_struct", "signal"},
    {"task_struct", "stack"},
    {"task_struct", "tasks"},
    {"task_struct", "tgid"},
    {"task_struct", "thread"},
    {"task_struct", "thread_node"},
    {"task_struct", "thread_pid"},
    {"thread_info", "cpu"},
    {"xa_node", "shift"},
    {"xa_node", "slots"},
    {"xarray", "xa_head"},
});

/// Structures of which only the size is used.
inline constexpr auto kKernelStructures = std::to_array<std::string_view>({
    "mem_section_usage",
    "pglist_data",
    "upid",
});

struct KernelEnumerator {
    std::string_view enumeration;
    std::string_view name;
};

inline constexpr auto kKernelEnumerators = std::to_array<KernelEnumerator>({
    {"mod_mem_type", "MOD_DATA"},
    {"mod_mem_type", "MOD_INIT_DATA"},
    {"mod_mem_type", "MOD_INIT_TEXT"},
    {"mod_mem_type", "MOD_TEXT"},
    {"system_states", "SYSTEM_HALT"},
    {"system_states", "SYSTEM_POWER_OFF"},
    {"system_states", "SYSTEM_RESTART"},
    {"system_states", "SYSTEM_RUNNING"},
});

} // namespace kmd
