// SPDX-License-Identifier: GPL-2.0
/*
 * Variables of the kernel that are not areas and that debuggers read at their
 * start. They are looked up once by name; a variable that this kernel does not have
 * is left out.
 */
#include <linux/cpumask.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/thread_info.h>

#include "kmemdump_arch.h"
#include "kmemdump_internal.h"

/* For a variable that reaches to the next symbol, which may be far away. */
#define MOST_OF_A_VARIABLE SZ_16K
/* For a name in a table. */
#define NAME_BYTES 32
/* For an array of names; KASAN adds kilobytes of padding. */
#define MOST_OF_NAMES SZ_1K
/* For a structure whose type is private to the kernel. */
#define STRUCTURE_BYTES 512

struct variable {
	const char *name;
	enum {
		ITSELF,			/* only the variable */
		AND_NAMES,		/* also the strings that it points to */
		AND_STRUCTURE,		/* also the structure that it points to */
	} what;
	const void *addr;
	size_t size;
};

static struct variable variables[] = {
	{ "_totalram_pages" },
	{ "avenrun" },
	{ "bus_kset", AND_STRUCTURE },
	{ "clear_seq" },
	{ "crash_notes" },
	{ "devices_kset", AND_STRUCTURE },
	{ "empty_zero_page" },
	{ "high_memory" },
	{ "huge_zero_pfn" },
	{ "init_mm" },
	{ "init_pid_ns" },
	{ "init_task" },
	{ "init_uts_ns" },
	{ "jiffies_64" },
	{ "kmem_cache", AND_STRUCTURE },
	{ "linux_banner" },
	{ "log_buf_len" },
	{ "mem_section" },
	{ "memory_subsys" },
	{ "modules" },
	{ "mt_pivots" },
	{ "mt_slots" },
	{ "node_data" },
	{ "node_states" },
	{ "nr_cpu_ids" },
	{ "nr_irqs" },
	{ "nr_swapfiles" },
	{ "nr_threads" },
	{ "pageflag_names", AND_NAMES },
	{ "panic_cpu" },
	{ "pcpu_base_addr" },
	{ "pcpu_unit_offsets" },
	{ "pid_max" },
	{ "root_task_group" },
	{ "saved_command_line" },
	{ "shadow_timekeeper" },
	{ "slab_caches" },
	{ "taint_flags" },
	{ "tainted_mask" },
	{ "task_state_array", AND_NAMES },
	{ "timekeeper_data" },
	{ "tk_core" },
	{ "total_nr_irqs" },
	{ "vmcoreinfo_data" },
	{ "vmcoreinfo_note" },
	{ "vmcoreinfo_size" },
	{ "zero_pfn" },
};

static struct variable arch_variables[KMEMDUMP_ARCH_VARIABLES_MAX];

/* The names of functions, so that a dump can be read without a vmlinux. */
static struct variable symbol_tables[] = {
	{ "kallsyms_num_syms" },
	{ "kallsyms_offsets" },
	{ "kallsyms_names" },
	{ "kallsyms_token_table" },
	{ "kallsyms_token_index" },
	/* The parts of the two long tables that are about __init functions. */
	{ .name = NULL },
	{ .name = NULL },
};

enum symbol_table {
	NUM_SYMS, OFFSETS, NAMES, TOKEN_TABLE, TOKEN_INDEX,
	INIT_OFFSETS, INIT_NAMES,
};

static bool offsets_have_base __initdata;
static void *percpu_base;
static const unsigned long *percpu_offsets;
static size_t percpu_bytes;
static void * __percpu *irq_stacks;
static note_buf_t __percpu **crash_notes_at;

static void __init find(struct variable *variable)
{
	size_t room;

	variable->addr = kmemdump_symbol(variable->name);
	if (!variable->addr)
		return;
	room = kmemdump_symbol_size(variable->addr);
	variable->size = min_t(size_t, room ?: sizeof(long),
			       variable->what == AND_NAMES ? MOST_OF_NAMES :
							     MOST_OF_A_VARIABLE);
}

/* Size of a name: its length, in one byte or two, and as many indices. */
static size_t __init name_bytes(const u8 *name)
{
	unsigned int length = *name & 0x7f;

	return *name & 0x80 ? 2 + (length | name[1] << 7) : 1 + length;
}

/*
 * An offset is relative to the first symbol, or in 7.x, which has no base, to the
 * offset itself.
 */
static const void * __init symbol_at(unsigned int index, const void *first)
{
	const s32 *offsets = symbol_tables[OFFSETS].addr;

	return offsets_have_base ?
		first + ((long)offsets[index] - offsets[0]) :
		(const void *)&offsets[index] + offsets[index];
}

/* Takes the symbols from *@index at *@name up to the first one after @last. */
static void __init take_symbols(unsigned int *index, const u8 **name,
				const void *first, const void *last,
				struct variable *offsets, struct variable *names)
{
	const unsigned int *count = symbol_tables[NUM_SYMS].addr;

	offsets->addr = (const s32 *)symbol_tables[OFFSETS].addr + *index;
	names->addr = *name;
	for (; *index < *count && symbol_at(*index, first) <= last; ++*index)
		*name += name_bytes(*name);
	offsets->size = (const void *)((const s32 *)symbol_tables[OFFSETS].addr + *index) -
			offsets->addr;
	names->size = (const void *)*name - names->addr;
}

/*
 * Symbols are in the order of their addresses, and functions come first. The
 * symbols after them would double the size and are less useful, except for the
 * __init functions.
 */
static void __init find_function_names(void)
{
	const void *first = kmemdump_symbol("_text");
	const void *last = kmemdump_symbol("_etext");
	const void *init_first = kmemdump_symbol("_sinittext");
	const void *init_last = kmemdump_symbol("_einittext");
	const unsigned int *count;
	const u8 *names, *name;
	unsigned int i;

	for (i = 0; i <= TOKEN_INDEX; i++) {
		find(&symbol_tables[i]);
		if (!symbol_tables[i].addr || !first || !last) {
			symbol_tables[NAMES].size = 0;
			symbol_tables[OFFSETS].size = 0;
			return;
		}
	}

	offsets_have_base = kmemdump_symbol("kallsyms_relative_base");
	i = 0;
	names = symbol_tables[NAMES].addr;
	name = names;
	take_symbols(&i, &name, first, last, &symbol_tables[OFFSETS],
		     &symbol_tables[NAMES]);
	if (!init_first || !init_last || init_first < last)
		return;
	count = symbol_tables[NUM_SYMS].addr;
	for (; i < *count && symbol_at(i, first) < init_first; i++)
		name += name_bytes(name);
	kmemdump_layout_number("kallsyms_init_index", i);
	kmemdump_layout_number("kallsyms_init_name", name - names);
	take_symbols(&i, &name, first, init_last, &symbol_tables[INIT_OFFSETS],
		     &symbol_tables[INIT_NAMES]);
}

/**
 * kmemdump_variables_init() - look the variables up
 * @kallsyms: also list the names of functions
 */
void __init kmemdump_variables_init(bool kallsyms)
{
	void **base = kmemdump_symbol("pcpu_base_addr");
	unsigned long **offsets = kmemdump_symbol("pcpu_unit_offsets");
	int *bytes = kmemdump_symbol("pcpu_unit_size");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(variables); i++)
		find(&variables[i]);
	for (i = 0; i < ARRAY_SIZE(arch_variables); i++) {
		if (!kmemdump_arch_variables[i])
			break;
		arch_variables[i].name = kmemdump_arch_variables[i];
		find(&arch_variables[i]);
	}
	if (kallsyms)
		find_function_names();
	if (base && offsets && bytes) {
		percpu_base = *base;
		percpu_offsets = *offsets;
		percpu_bytes = *bytes;
	}
	if (kmemdump_arch_irq_stack)
		irq_stacks = (void * __percpu __force *)
			kmemdump_symbol(kmemdump_arch_irq_stack);
	crash_notes_at = kmemdump_symbol("crash_notes");
}

/**
 * kmemdump_crash_note() - the buffer for a CPU's registers in crash_notes
 * @cpu: a possible CPU
 *
 * Return: the kernel's buffer, or NULL.
 */
note_buf_t *kmemdump_crash_note(unsigned int cpu)
{
	return crash_notes_at && *crash_notes_at ?
		per_cpu_ptr(*crash_notes_at, cpu) : NULL;
}

static void add_pointed_to(struct kmemdump_pages *pages,
			   const struct variable *variable)
{
	const void *const *pointer = variable->addr;
	const void *to;
	size_t i;

	if (variable->what == AND_STRUCTURE &&
	    kmemdump_peek(&to, pointer, sizeof(to)))
		kmemdump_pages_add(pages, to, STRUCTURE_BYTES);

	if (variable->what == AND_NAMES)
		for (i = 0; i < variable->size / sizeof(to); i++)
			if (kmemdump_peek(&to, &pointer[i], sizeof(to)) &&
			    kmemdump_is_kernel_address(to))
				kmemdump_pages_add(pages, to, NAME_BYTES);
}

static void add_variables(struct kmemdump_pages *pages,
			  const struct variable *variable, size_t count)
{
	for (; count; count--, variable++) {
		kmemdump_pages_add(pages, variable->addr, variable->size);
		if (variable->addr)
			add_pointed_to(pages, variable);
	}
}

/**
 * kmemdump_variables_add() - list the variables and the memory of each CPU
 * @pages: the list
 * @stacks: also list the interrupt stacks
 */
void kmemdump_variables_add(struct kmemdump_pages *pages, bool stacks)
{
	unsigned int cpu;
	void *stack;

	add_variables(pages, variables, ARRAY_SIZE(variables));
	add_variables(pages, arch_variables, ARRAY_SIZE(arch_variables));
	for_each_possible_cpu(cpu) {
		if (percpu_base)
			kmemdump_pages_add(pages,
					   percpu_base + percpu_offsets[cpu],
					   percpu_bytes);
		kmemdump_pages_add(pages, kmemdump_crash_note(cpu),
				   sizeof(note_buf_t));
		if (stacks && irq_stacks &&
		    kmemdump_peek(&stack, per_cpu_ptr(irq_stacks, cpu),
				  sizeof(stack)))
			kmemdump_pages_add(pages, stack, THREAD_SIZE);
	}
	add_variables(pages, symbol_tables, ARRAY_SIZE(symbol_tables));
}
