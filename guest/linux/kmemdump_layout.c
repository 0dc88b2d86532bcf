// SPDX-License-Identifier: GPL-2.0
/*
 * A text in the syntax of vmcoreinfo with addresses of variables and offsets of
 * structure members of this kernel, for readers of a dump without a vmlinux.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/stdarg.h>
#include <linux/stddef.h>
#include <linux/thread_info.h>

#include "kmemdump_arch.h"
#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

/* Within one page of any page size, so it is physically contiguous. */
static char text[SZ_4K] __aligned(SZ_4K);
static size_t used __initdata;

static const struct kmemdump_number numbers[] __initconst = {
#define OFFSET(structure, member) \
	{ "OFFSET(" #structure "." #member ")", offsetof(struct structure, member) }
#define OFFSET_AS(structure, name, member) \
	{ "OFFSET(" #structure "." #name ")", offsetof(struct structure, member) }
#ifdef CONFIG_MODULES
	OFFSET(module, list),
	OFFSET(module, name),
	OFFSET_AS(module, text, KMEMDUMP_MODULE_TEXT),
	OFFSET_AS(module, text_size, KMEMDUMP_MODULE_TEXT_SIZE),
	OFFSET_AS(module, init_text, KMEMDUMP_MODULE_INIT_TEXT),
	OFFSET_AS(module, init_text_size, KMEMDUMP_MODULE_INIT_TEXT_SIZE),
#ifdef CONFIG_KALLSYMS
	OFFSET(module, kallsyms),
	OFFSET(mod_kallsyms, symtab),
	OFFSET(mod_kallsyms, num_symtab),
	OFFSET(mod_kallsyms, strtab),
#endif
#endif
	OFFSET(task_struct, tasks),
	OFFSET(task_struct, pid),
	OFFSET(task_struct, tgid),
	OFFSET(task_struct, comm),
	OFFSET(task_struct, signal),
	OFFSET(task_struct, thread_node),
	OFFSET(task_struct, thread),
	OFFSET(task_struct, __state),
	OFFSET(task_struct, exit_state),
	OFFSET(task_struct, se),
	OFFSET(sched_entity, sum_exec_runtime),
	OFFSET(signal_struct, thread_head),
#ifdef CONFIG_SMP
	OFFSET(task_struct, on_cpu),
	OFFSET(thread_info, cpu),
#endif
#undef OFFSET
#undef OFFSET_AS
};

static __printf(1, 2) void __init append(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	used += vscnprintf(text + used, sizeof(text) - used, fmt, args);
	va_end(args);
}

/**
 * kmemdump_layout_number() - add a line to the text
 * @name: name of the number
 * @value: its value
 *
 * Lines that do not fit are left out.
 */
void __init kmemdump_layout_number(const char *name, unsigned long value)
{
	append("NUMBER(%s)=%lu\n", name, value);
}

/**
 * kmemdump_layout_register() - write the text and register it
 */
void __init kmemdump_layout_register(void)
{
	static const char *const variables[] = {
		"init_task", "modules", "panic_cpu"
	};
	const struct kmemdump_number *number;
	unsigned int i;
	int ret;

	/* The text's own address lets a reader tell it from a copy. */
	append("KMD_LAYOUT=1\nSYMBOL(kmd_layout)=%lx\n", (unsigned long)text);
	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		const void *variable = kmemdump_symbol(variables[i]);

		if (variable)
			append("SYMBOL(%s)=%lx\n", variables[i],
			       (unsigned long)variable);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		append("%s=%lu\n", numbers[i].name, numbers[i].value);
	for (number = kmemdump_arch_numbers; number->name; number++)
		append("%s=%lu\n", number->name, number->value);
	ret = kmemdump_register_named("kmd_layout", text, sizeof(text));
	if (ret < 0)
		pr_warn("cannot register kmd_layout: %d\n", ret);
}
