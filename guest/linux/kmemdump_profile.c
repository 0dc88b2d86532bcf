// SPDX-License-Identifier: GPL-2.0
/*
 * What is saved of the kernel in addition to the areas, and when that list is
 * updated: periodically, so that there is a list when the machine hangs, and again
 * when the kernel dies.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include <asm/irq_regs.h>

#include "kmemdump_internal.h"

/* Built in, the parameters are kmemdump.profile and so on, not named by this file. */
#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kmemdump."
#endif

/* How many pointers a walk may follow for each page; a page takes about ten. */
#define STEPS_PER_PAGE 32
/* The minimum, so that the count of missing extents is right for short lists, too. */
#define LEAST_STEPS 32768U
/* A controller does not read more entries. */
#define MOST_PAGES 65536U

enum profile { PROFILE_LOG, PROFILE_TASKS, PROFILE_STACKS };

static const char * const profile_names[] = {
	[PROFILE_LOG] = "log",
	[PROFILE_TASKS] = "tasks",
	[PROFILE_STACKS] = "stacks",
};

#if defined(CONFIG_KMEMDUMP_PROFILE_LOG)
static enum profile profile = PROFILE_LOG;
#elif defined(CONFIG_KMEMDUMP_PROFILE_TASKS)
static enum profile profile = PROFILE_TASKS;
#else
static enum profile profile = PROFILE_STACKS;
#endif

static int set_profile(const char *value, const struct kernel_param *param)
{
	int index = sysfs_match_string(profile_names, value);

	if (index < 0) {
		pr_err("profile=%s is unknown, expected log, tasks or stacks\n",
		       value);
		return index;
	}
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
MODULE_PARM_DESC(profile, "What to save: log, tasks (adds the tasks) or stacks (adds their stacks)");

static bool kallsyms = true;
module_param(kallsyms, bool, 0444);
MODULE_PARM_DESC(kallsyms, "Save the names of functions with the tasks (default: Y)");

static unsigned int max_pages = 16384;
module_param(max_pages, uint, 0444);
MODULE_PARM_DESC(max_pages, "Maximum number of pages to save in addition to the log (default: 16384)");

static unsigned int refresh = 10;
module_param(refresh, uint, 0444);
MODULE_PARM_DESC(refresh, "Seconds between two updates of the tasks, 0: only when the kernel dies (default: 10)");

static struct kmemdump_pages pages;
/* Held by every update of the list except in a panic. */
static DEFINE_MUTEX(gather_lock);
static bool dying;
/* The symbols that the update needs have been looked up. */
static bool ready;
/* Callback for how much found no room; protected by gather_lock. */
static void (*watcher)(void *data, unsigned int not_listed);
static void *watcher_data;

static void refresh_now(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(refresh_work, refresh_now);

static void gather(struct kmemdump_walk *walk)
{
	walk->pages = &pages;
	walk->stacks = profile == PROFILE_STACKS;
	walk->steps = max(max_pages * STEPS_PER_PAGE, LEAST_STEPS);
	walk->steps_at_rest = walk->steps;

	kmemdump_pages_begin(&pages);
	kmemdump_running_tasks_add(walk);
	kmemdump_variables_add(&pages, walk->stacks);
	kmemdump_modules_add(walk);
	kmemdump_tasks_add(walk);
	/* The budget is used up: it is unknown how much more there is. */
	if (!walk->steps)
		pages.not_listed++;
	if (!walk->stop || !READ_ONCE(*walk->stop))
		kmemdump_pages_end(&pages);
}

static void report(const struct kmemdump_walk *walk, u64 started)
{
	u64 nanoseconds = ktime_get_mono_fast_ns() - started;

	pr_info("profile %s: %u tasks, %u pages in %u extents, %llu us\n",
		profile_names[profile], walk->tasks, pages.count, pages.used,
		(unsigned long long)div_u64(nanoseconds, NSEC_PER_USEC));
	if (pages.not_listed)
		pr_warn("max_pages=%u is reached, %u extents or more are left out\n",
			max_pages, pages.not_listed);
	if (walk->broken)
		pr_warn("%u lists of the kernel are broken, or longer than max_pages allows\n",
			walk->broken);
}

static void tell_watcher(void)
{
	if (watcher)
		watcher(watcher_data, pages.not_listed);
}

static void gather_alive(bool first)
{
	struct kmemdump_walk walk = { .stop = &dying };
	u64 started = ktime_get_mono_fast_ns();

	mutex_lock(&gather_lock);
	/* Keeps the memory of tasks that end in the meantime. */
	rcu_read_lock();
	gather(&walk);
	rcu_read_unlock();
	if (!READ_ONCE(dying))
		tell_watcher();
	if (first)
		report(&walk, started);
	mutex_unlock(&gather_lock);
}

/**
 * kmemdump_extents() - the list of memory to save in addition to the regions
 * @size: length of the list in bytes
 *
 * The list does not move and is physically contiguous. Entries can change at any
 * moment; the size of an entry is 0 while it changes.
 *
 * Return: the first entry, or NULL if the profile has none.
 */
const struct kmemdump_extent *kmemdump_extents(size_t *size)
{
	*size = pages.capacity * sizeof(*pages.extents);
	return pages.extents;
}
EXPORT_SYMBOL_GPL(kmemdump_extents);

/**
 * kmemdump_watch_extents() - set a callback for how much finds no room in the list
 * @changed: called immediately and after every update of the list, in process
 *	context or in a panic; NULL for no callback
 * @data: argument for @changed
 *
 * Process context. When this returns, the previous callback is not called any
 * more.
 */
void kmemdump_watch_extents(void (*changed)(void *data, unsigned int not_listed),
			    void *data)
{
	mutex_lock(&gather_lock);
	WRITE_ONCE(watcher, NULL);
	watcher_data = data;
	/* A panic must not find the old callback with the new data. */
	smp_wmb();
	WRITE_ONCE(watcher, changed);
	tell_watcher();
	mutex_unlock(&gather_lock);
}
EXPORT_SYMBOL_GPL(kmemdump_watch_extents);

/**
 * kmemdump_refresh() - update the list
 *
 * Process context.
 */
void kmemdump_refresh(void)
{
	if (READ_ONCE(ready))
		gather_alive(false);
}
EXPORT_SYMBOL_GPL(kmemdump_refresh);

/*
 * A CPU that was stopped is offline, and is still in the interrupt that stopped it.
 * The interrupted registers show what it was doing.
 */
static void save_registers(struct pt_regs *regs)
{
	const unsigned int this_cpu = raw_smp_processor_id();
	struct pt_regs interrupted, *at;
	unsigned int cpu;

	for_each_present_cpu(cpu) {
		note_buf_t *note = kmemdump_crash_note(cpu);

		if (!note)
			return;
		if (cpu == this_cpu)
			kmemdump_coreimage_registers(note, regs);
		else if (!cpu_online(cpu) &&
			 kmemdump_peek(&at, per_cpu_ptr(&__irq_regs, cpu),
				       sizeof(at)) &&
			 kmemdump_peek(&interrupted, at, sizeof(interrupted)))
			kmemdump_coreimage_registers(note, &interrupted);
	}
}

/**
 * kmemdump_prepare_panic() - update the list for the dump of a panic
 * @regs: registers of this CPU
 *
 * Any context; the other CPUs should be stopped. Takes a bounded number of steps,
 * however broken the kernel is.
 */
void kmemdump_prepare_panic(struct pt_regs *regs)
{
	struct kmemdump_walk walk = {};
	u64 started = ktime_get_mono_fast_ns();

	WRITE_ONCE(dying, true);
	if (!READ_ONCE(ready))
		return;
	save_registers(regs);
	gather(&walk);
	tell_watcher();
	report(&walk, started);
}
EXPORT_SYMBOL_GPL(kmemdump_prepare_panic);

static void refresh_now(struct work_struct *work)
{
	gather_alive(false);
	schedule_delayed_work(&refresh_work, refresh * HZ);
}

static int __init make_list(void)
{
	if (profile == PROFILE_LOG)
		return 0;
	max_pages = clamp(max_pages, 1U, MOST_PAGES);
	if (kmemdump_pages_init(&pages, max_pages)) {
		pr_warn("no memory for a list of %u pages, the profile is log\n",
			max_pages);
		profile = PROFILE_LOG;
	}
	return 0;
}

#ifndef MODULE
/* The controller's driver needs the list before there is much to put into it. */
subsys_initcall(make_list);
#endif

/**
 * kmemdump_profile_init() - start updating the list, unless the profile is log
 */
void __init kmemdump_profile_init(void)
{
#ifdef MODULE
	make_list();
#endif
	if (profile == PROFILE_LOG)
		return;
	kmemdump_variables_init(kallsyms);
	kmemdump_tasks_init();
	kmemdump_modules_init();
	WRITE_ONCE(ready, true);
	gather_alive(true);
	if (refresh)
		schedule_delayed_work(&refresh_work, refresh * HZ);
}

/**
 * kmemdump_profile_exit() - stop updating the list and free it
 */
void kmemdump_profile_exit(void)
{
	cancel_delayed_work_sync(&refresh_work);
	kmemdump_pages_exit(&pages);
}
