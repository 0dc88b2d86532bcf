// SPDX-License-Identifier: GPL-2.0
/*
 * How much of the kernel is saved besides the areas, and when it is looked up:
 * now and then, so that a machine that hangs has a list, and when it dies.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "kmemdump_internal.h"

/* Built in, the parameters are kmemdump.profile and so on as well. */
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kmemdump."

enum profile { PROFILE_LOG, PROFILE_TASKS, PROFILE_STACKS };

static const char * const profile_names[] = {
	[PROFILE_LOG] = "log",
	[PROFILE_TASKS] = "tasks",
	[PROFILE_STACKS] = "stacks",
};

#if defined(CONFIG_KMEMDUMP_PROFILE_LOG)
#define DEFAULT_PROFILE PROFILE_LOG
#elif defined(CONFIG_KMEMDUMP_PROFILE_TASKS)
#define DEFAULT_PROFILE PROFILE_TASKS
#else
#define DEFAULT_PROFILE PROFILE_STACKS
#endif

static unsigned int profile = DEFAULT_PROFILE;

static int set_profile(const char *value, const struct kernel_param *param)
{
	int index = sysfs_match_string(profile_names, value);

	if (index < 0)
		return index;
	profile = index;
	return 0;
}

static int get_profile(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", profile_names[profile]);
}

static const struct kernel_param_ops profile_ops = {
	.set = set_profile,
	.get = get_profile,
};
module_param_cb(profile, &profile_ops, NULL, 0444);
MODULE_PARM_DESC(profile, "How much is saved: log, tasks or stacks");

static unsigned int max_pages = 16384;
module_param(max_pages, uint, 0444);
MODULE_PARM_DESC(max_pages, "Pages of tasks, stacks and the like at most (default: 16384)");

static unsigned int refresh = 10;
module_param(refresh, uint, 0444);
MODULE_PARM_DESC(refresh, "Seconds from one look at the tasks to the next, 0 for none before the end (default: 10)");

/* Each page of the list takes a few steps. */
#define STEPS_PER_PAGE 32

/* Variables by their name in the symbol table; those that are not there, are not. */
static const char * const variables[] = {
	"_totalram_pages", "avenrun", "bus_kset", "crash_notes",
	"high_memory", "huge_zero_pfn", "init_mm", "init_pid_ns", "init_task",
	"init_uts_ns", "kmem_cache", "mem_section", "modules", "mt_pivots",
	"mt_slots", "nr_swapfiles", "page_offset_base", "pageflag_names",
	"pcpu_base_addr", "pcpu_unit_offsets", "runqueues", "saved_command_line",
	"shadow_timekeeper", "slab_caches", "task_state_array", "tk_core",
	"timekeeper", "total_nr_irqs", "nr_irqs", "vmcoreinfo_data",
	"vmcoreinfo_note", "vmcoreinfo_size", "zero_pfn", "devices_kset",
	"panic_cpu", "panic_on_oops", "jiffies_64", "memory_subsys",
	"linux_banner", "tainted_mask", "taint_flags", "node_states", "node_data",
	"nr_cpu_ids", "init_thread_union", "empty_zero_page", "swapper_pg_dir",
	"kimage_voffset", "memstart_addr", "vabits_actual", "root_task_group",
	"sched_domains_numa_masks", "pid_hash", "clear_seq", "log_buf_len",
};

struct object {
	const void *addr;
	size_t size;
};

/* In the order of the names. */
static struct object objects[ARRAY_SIZE(variables)];
static void **pointed_to;
static void *percpu_base;
static unsigned long *percpu_offsets;
static size_t percpu_size;
static void * __percpu *crash_notes_at;
static void *irq_stacks;
static void (*save_cpu)(struct pt_regs *regs, int cpu);

static bool dying;
/* One walk at a time, unless the kernel dies. */
static DEFINE_MUTEX(walk_lock);

static void refresh_work(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(refresh_later, refresh_work);

static void __init find_objects(void)
{
	int *unit_size = kmemdump_symbol("pcpu_unit_size");
	void **base = kmemdump_symbol("pcpu_base_addr");
	unsigned long **offsets = kmemdump_symbol("pcpu_unit_offsets");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		objects[i].addr = kmemdump_symbol(variables[i]);
		if (objects[i].addr)
			objects[i].size = min_t(size_t, SZ_64K,
				kmemdump_symbol_size(objects[i].addr) ?: 8);
	}
	pointed_to = kmemdump_symbol("kmem_cache");
	if (unit_size && base && offsets) {
		percpu_base = *base;
		percpu_offsets = *offsets;
		percpu_size = *unit_size;
	}
	crash_notes_at = kmemdump_symbol("crash_notes");
	irq_stacks = kmemdump_symbol("irq_stack_ptr");
	save_cpu = kmemdump_symbol("crash_save_cpu");
}

static void add_per_cpu(bool stacks)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		if (percpu_base)
			kmemdump_pages_add(percpu_base + percpu_offsets[cpu],
					   percpu_size);
		if (crash_notes_at && *crash_notes_at)
			kmemdump_pages_add(per_cpu_ptr((void __percpu *)*crash_notes_at, cpu), 512);
		if (irq_stacks && stacks) {
			void **irq_stack = per_cpu_ptr((void * __percpu *)irq_stacks, cpu);
			void *stack;

			if (kmemdump_peek(&stack, irq_stack, sizeof(stack)))
				kmemdump_pages_add(stack, THREAD_SIZE);
		}
	}
}

static void gather(void)
{
	struct kmemdump_walk walk = {
		.stacks = profile >= PROFILE_STACKS,
		.steps = max_pages * STEPS_PER_PAGE,
	};
	u64 start = ktime_get_mono_fast_ns();
	const struct kmemdump_pages_count *count;
	void *object;
	unsigned int i;

	kmemdump_pages_begin();
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		kmemdump_pages_add(objects[i].addr, objects[i].size);
	if (pointed_to && kmemdump_peek(&object, pointed_to, sizeof(object)))
		kmemdump_pages_add(object, 512);
	add_per_cpu(walk.stacks);
	kmemdump_modules_add(&walk);
	kmemdump_tasks_add(&walk);
	count = kmemdump_pages_end();
	pr_info("profile %s: %u tasks, %u pages in %u extents, %u not mapped, %u lists broken%s, %llu us\n",
		profile_names[profile], walk.tasks, count->pages,
		count->extents, count->unmapped, walk.broken,
		count->full ? ", max_pages reached" : "",
		div_u64(ktime_get_mono_fast_ns() - start, NSEC_PER_USEC));
}

/**
 * kmemdump_extents() - the list of what is to be saved besides the regions
 * @size: its length in bytes
 *
 * It stays where it is, physically contiguous, and changes at any moment.
 *
 * Return: the first entry, or NULL if the profile has none.
 */
const struct kmemdump_extent *kmemdump_extents(size_t *size)
{
	return kmemdump_pages_list(size);
}
EXPORT_SYMBOL_GPL(kmemdump_extents);

/**
 * kmemdump_refresh() - bring the list up to date
 *
 * Process context.
 */
void kmemdump_refresh(void)
{
	size_t size;

	if (!kmemdump_pages_list(&size))
		return;
	mutex_lock(&walk_lock);
	/* Keeps a task that exits where it is. */
	rcu_read_lock();
	gather();
	rcu_read_unlock();
	mutex_unlock(&walk_lock);
}
EXPORT_SYMBOL_GPL(kmemdump_refresh);

/**
 * kmemdump_prepare_panic() - last before a dump of a kernel that panics
 * @regs: registers of this CPU, for those who look into crash_notes
 *
 * Any context. The other CPUs should stand still; if one does not the list is
 * not quite as it was.
 */
void kmemdump_prepare_panic(struct pt_regs *regs)
{
	size_t size;

	WRITE_ONCE(dying, true);
	if (save_cpu)
		save_cpu(regs, smp_processor_id());
	if (kmemdump_pages_list(&size))
		gather();
}
EXPORT_SYMBOL_GPL(kmemdump_prepare_panic);

static void refresh_work(struct work_struct *work)
{
	if (READ_ONCE(dying))
		return;
	kmemdump_refresh();
	schedule_delayed_work(&refresh_later, refresh * HZ);
}

/**
 * kmemdump_profile_init() - make the list, unless the log is all that is wanted
 */
void __init kmemdump_profile_init(void)
{
	if (profile == PROFILE_LOG)
		return;
	if (kmemdump_pages_init(max_pages)) {
		pr_warn("no memory for a list of %u pages, the profile is log\n",
			max_pages);
		return;
	}
	find_objects();
	kmemdump_tasks_init();
	kmemdump_refresh();
	if (refresh)
		schedule_delayed_work(&refresh_later, refresh * HZ);
}

/**
 * kmemdump_profile_exit() - free the list; nobody reads it any more
 */
void kmemdump_profile_exit(void)
{
	cancel_delayed_work_sync(&refresh_later);
	kmemdump_pages_exit();
}
