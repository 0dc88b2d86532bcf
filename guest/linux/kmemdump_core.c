// SPDX-License-Identifier: GPL-2.0
/*
 * The table of regions and the current backend.
 *
 * There is always a backend: the default one accepts everything and saves
 * nothing. So regions can be registered before a driver exists; they are handed
 * over when a driver registers as the backend.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "kmemdump_internal.h"
#include "kmemdump_vital.h"

/* How long a caller that must not sleep waits for the table. */
#define LOCK_TRIES 5000
#define LOCK_POLL_US 10

static int default_register_region(const struct kmemdump_backend *be,
				   enum kmemdump_uid uid, void *vaddr,
				   size_t size)
{
	return 0;
}

static int default_unregister_region(const struct kmemdump_backend *be,
				     enum kmemdump_uid uid)
{
	return 0;
}

static const struct kmemdump_backend default_backend = {
	.name = "default",
	.register_region = default_register_region,
	.unregister_region = default_unregister_region,
};

/* Protects everything below, and the header of the core image. */
static DEFINE_MUTEX(kmemdump_lock);
static const struct kmemdump_backend *backend = &default_backend;
static struct kmemdump_region regions[KMEMDUMP_ID_MAX];
/* The header of the core image describes the regions. */
static bool described;

static bool is_region(enum kmemdump_uid uid)
{
	return uid > KMEMDUMP_ID_START && uid < KMEMDUMP_ID_MAX &&
	       uid != KMEMDUMP_ID_NO_ID;
}

/**
 * kmemdump_uid_name() - the name of a region
 * @uid: its number
 *
 * Return: a name of at most 16 characters, never NULL. The name of a region
 * without a fixed number is valid until the region is unregistered; a backend
 * may use it during its callbacks.
 */
const char *kmemdump_uid_name(enum kmemdump_uid uid)
{
	if (!is_region(uid))
		return "invalid";
	if (uid < KMEMDUMP_ID_NO_ID)
		return kmemdump_identifier_name(uid);
	return regions[uid].name[0] ? regions[uid].name : "unnamed";
}
EXPORT_SYMBOL_GPL(kmemdump_uid_name);

/* Returns KMEMDUMP_ID_MAX if all are taken. */
static unsigned int find_dynamic_uid(void)
{
	unsigned int uid;

	for (uid = KMEMDUMP_ID_DYNAMIC; uid < KMEMDUMP_ID_MAX; uid++)
		if (!regions[uid].zone)
			break;
	return uid;
}

static void describe_regions(void)
{
	if (described)
		kmemdump_coreimage_rebuild(regions);
}

/* While the kernel boots on one CPU, nobody else can hold the lock. */
static bool is_early(void)
{
	return system_state == SYSTEM_BOOTING;
}

static bool may_sleep(void)
{
	return is_early() || !(preempt_count() || irqs_disabled());
}

/*
 * Without CONFIG_PREEMPT_COUNT it is unknown whether the caller holds a
 * spinlock. Then this does not sleep, and gives up after some time.
 */
static bool lock_unless_atomic(void)
{
	unsigned int i;

	if (!may_sleep())
		return false;
	if (is_early() || IS_ENABLED(CONFIG_PREEMPT_COUNT)) {
		mutex_lock(&kmemdump_lock);
		return true;
	}
	for (i = 0; i < LOCK_TRIES; i++) {
		if (mutex_trylock(&kmemdump_lock))
			return true;
		udelay(LOCK_POLL_US);
	}
	return false;
}

/*
 * The physical address of a region. It stays unknown in early boot, before there
 * are page tables and a memory map.
 */
static int find_phys(const void *zone, size_t size, phys_addr_t *phys)
{
	if (!is_early())
		return kmemdump_virt_to_phys(zone, size, phys);

	if (!zone || !size || (unsigned long)zone + size - 1 <
				     (unsigned long)zone)
		return -EINVAL;
	*phys = KMEMDUMP_PHYS_UNKNOWN;
	return 0;
}

/* Called before a backend or the core image can see them. */
static void find_phys_of_early_regions(void)
{
	unsigned int uid;

	for (uid = 0; uid < KMEMDUMP_ID_MAX; uid++) {
		struct kmemdump_region *r = &regions[uid];

		if (!r->zone || r->phys != KMEMDUMP_PHYS_UNKNOWN)
			continue;
		if (kmemdump_virt_to_phys(r->zone, r->size, &r->phys)) {
			pr_warn("region %s (uid %u) dropped, expected %zu contiguous bytes\n",
				kmemdump_uid_name(uid), uid, r->size);
			memset(r, 0, sizeof(*r));
		}
	}
}

static int register_region(enum kmemdump_uid uid, const char *name, void *zone,
			   size_t size)
{
	struct kmemdump_region *r;
	phys_addr_t phys;
	int ret;

	if (!may_sleep())
		return -EWOULDBLOCK;

	if (uid != KMEMDUMP_ID_NO_ID && !is_region(uid))
		return -EINVAL;

	zone = kasan_reset_tag(zone);
	ret = find_phys(zone, size, &phys);
	if (ret)
		return ret;

	if (!lock_unless_atomic())
		return -EWOULDBLOCK;

	if (uid == KMEMDUMP_ID_NO_ID) {
		uid = find_dynamic_uid();
		if (uid == KMEMDUMP_ID_MAX) {
			ret = -ENOSPC;
			goto unlock;
		}
	} else if (regions[uid].zone) {
		ret = -EALREADY;
		goto unlock;
	}

	r = &regions[uid];
	r->zone = zone;
	r->phys = phys;
	r->size = size;
	strscpy(r->name, name, sizeof(r->name));

	kmemdump_coreimage_invalidate();
	ret = backend->register_region(backend, uid, zone, size);
	if (ret < 0) {
		memset(r, 0, sizeof(*r));
	} else {
		r->accepted = true;
		ret = uid;
	}
	describe_regions();

unlock:
	mutex_unlock(&kmemdump_lock);
	return ret;
}

/**
 * kmemdump_register_id() - register a region
 * @uid: its number, or KMEMDUMP_ID_NO_ID for any that is free
 * @zone: first byte, a kernel virtual address; the memory must be physically
 *	contiguous and stay where it is until kmemdump_unregister()
 * @size: length in bytes
 *
 * Process context, or early boot as soon as there is memory to register. With
 * the default backend every valid region is stored, and handed to a real backend
 * later. Regions registered in early boot are checked later.
 *
 * Return: the number, which is positive, or
 * * -EINVAL: no such number; no address, no size, the end wraps around, or the
 *   memory is not mapped or not physically contiguous
 * * -EALREADY: the number is taken
 * * -EWOULDBLOCK: the caller must not sleep. A kernel without
 *   CONFIG_PREEMPT_COUNT cannot tell whether a caller holds a spinlock; there
 *   this function never sleeps, and the table was in use for too long
 * * -ENOSPC: all numbers for KMEMDUMP_ID_NO_ID are taken
 * * another errno: the backend's reason to refuse; nothing is registered
 */
int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size)
{
	return register_region(uid, "", zone, size);
}
EXPORT_SYMBOL_GPL(kmemdump_register_id);

/**
 * kmemdump_register_named() - register a region under any free number
 * @name: its name, truncated to 16 characters
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 *
 * Return: as kmemdump_register_id().
 */
int kmemdump_register_named(const char *name, void *zone, size_t size)
{
	return register_region(KMEMDUMP_ID_NO_ID, name, zone, size);
}
EXPORT_SYMBOL_GPL(kmemdump_register_named);

/**
 * kmemdump_register_fmt() - register a region under any free number
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 * @fmt: format of its name, which is truncated to 16 characters
 *
 * Return: as kmemdump_register_id().
 */
int kmemdump_register_fmt(void *zone, size_t size, const char *fmt, ...)
{
	char name[KMEMDUMP_NAME_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);

	return kmemdump_register_named(name, zone, size);
}
EXPORT_SYMBOL_GPL(kmemdump_register_fmt);

static void take_from_backend(enum kmemdump_uid uid)
{
	int ret = backend->unregister_region(backend, uid);

	if (ret < 0 && regions[uid].accepted)
		pr_warn("backend %s did not release region %s (uid %d): %d\n",
			backend->name, kmemdump_uid_name(uid), uid, ret);
	regions[uid].accepted = false;
}

/**
 * kmemdump_unregister() - forget a region
 * @uid: the number that its registration returned
 *
 * Process context, or early boot. When this returns, the memory may be freed.
 * Does nothing if the number is not registered.
 */
void kmemdump_unregister(enum kmemdump_uid uid)
{
	if (WARN_ONCE(!may_sleep(),
		      "unregistering a kmemdump region needs a context that may sleep\n"))
		return;

	if (!is_region(uid)) {
		pr_warn("unregister: uid %d is not a region, expected 1 to %d\n",
			(int)uid, KMEMDUMP_ID_MAX - 1);
		return;
	}

	mutex_lock(&kmemdump_lock);
	if (regions[uid].zone) {
		kmemdump_coreimage_invalidate();
		take_from_backend(uid);
		memset(&regions[uid], 0, sizeof(regions[uid]));
		describe_regions();
	}
	mutex_unlock(&kmemdump_lock);
}
EXPORT_SYMBOL_GPL(kmemdump_unregister);

static int find_uid(enum kmemdump_uid first, const void *zone)
{
	int ret = -ENOENT;
	unsigned int uid;

	might_sleep();
	zone = kasan_reset_tag(zone);
	if (!zone)
		return ret;

	mutex_lock(&kmemdump_lock);
	for (uid = first; uid < KMEMDUMP_ID_MAX && ret < 0; uid++)
		if (regions[uid].zone == zone)
			ret = uid;
	mutex_unlock(&kmemdump_lock);
	return ret;
}

/**
 * kmemdump_find_uid() - the number of a region
 * @zone: its first byte, a kernel virtual address
 *
 * Return: the number (the lowest if there are several), or -ENOENT.
 */
int kmemdump_find_uid(const void *zone)
{
	return find_uid(KMEMDUMP_ID_START + 1, zone);
}
EXPORT_SYMBOL_GPL(kmemdump_find_uid);

/**
 * kmemdump_allocated() - register memory that was just allocated
 * @uid: its number, or KMEMDUMP_ID_NO_ID for any that is free
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 *
 * For callers that continue without a region: on failure it prints a line.
 */
void kmemdump_allocated(enum kmemdump_uid uid, void *zone, size_t size)
{
	int ret = kmemdump_register_id(uid, zone, size);

	if (ret < 0)
		pr_warn("allocation of %zu bytes for uid %d not registered: %d\n",
			size, (int)uid, ret);
}
EXPORT_SYMBOL_GPL(kmemdump_allocated);

/**
 * kmemdump_forget() - unregister a region without a fixed number
 * @zone: its first byte, a kernel virtual address
 *
 * Does nothing if there is no such region.
 */
void kmemdump_forget(const void *zone)
{
	int uid = find_uid(KMEMDUMP_ID_DYNAMIC, zone);

	if (uid > 0)
		kmemdump_unregister(uid);
}
EXPORT_SYMBOL_GPL(kmemdump_forget);

/**
 * struct hand_over - result of handing regions to a backend
 * @total: number of regions offered
 * @refused: how many of them were refused
 * @uid: the first region that was refused
 * @error: the reason
 */
struct hand_over {
	unsigned int total;
	unsigned int refused;
	unsigned int uid;
	int error;
};

static void hand_over(struct hand_over *done, bool vital)
{
	unsigned int uid;

	for (uid = 0; uid < KMEMDUMP_ID_MAX; uid++) {
		struct kmemdump_region *r = &regions[uid];
		int ret;

		if (!r->zone || kmemdump_is_vital(uid) != vital)
			continue;
		done->total++;
		ret = backend->register_region(backend, uid, r->zone, r->size);
		r->accepted = ret >= 0;
		if (!r->accepted && !done->refused++) {
			done->uid = uid;
			done->error = ret;
		}
	}
}

static void take_back(bool vital)
{
	unsigned int uid;

	for (uid = 0; uid < KMEMDUMP_ID_MAX; uid++)
		if (regions[uid].zone && kmemdump_is_vital(uid) == vital)
			take_from_backend(uid);
}

/*
 * The log is handed over first and taken back last. The rest is in ascending
 * order of the numbers, because some backends keep this order.
 */
static void switch_backend(const struct kmemdump_backend *be)
{
	struct hand_over done = {};

	find_phys_of_early_regions();
	kmemdump_coreimage_invalidate();

	take_back(false);
	take_back(true);
	backend = be;
	hand_over(&done, true);
	hand_over(&done, false);

	describe_regions();

	pr_info("backend %s: %u of %u regions\n", be->name,
		done.total - done.refused, done.total);
	if (done.refused)
		pr_warn("backend %s refused %u, first region %s (uid %u): %d\n",
			be->name, done.refused, kmemdump_uid_name(done.uid),
			done.uid, done.error);
}

/**
 * kmemdump_register_backend() - become the backend that saves the regions
 * @be: must stay valid until kmemdump_unregister_backend()
 *
 * Before this returns, all registered regions are handed over: first those of
 * the log, then the others, in ascending order of the numbers. A region that @be
 * refuses stays registered for the next backend, but is not in the core image of
 * this one.
 *
 * Return: 0, -EINVAL if @be or a callback is missing, -EBUSY if there is a
 * backend other than the default one, -EWOULDBLOCK if the caller must not sleep.
 */
int kmemdump_register_backend(const struct kmemdump_backend *be)
{
	int ret = 0;

	if (!may_sleep())
		return -EWOULDBLOCK;

	if (!be || !be->register_region || !be->unregister_region)
		return -EINVAL;

	mutex_lock(&kmemdump_lock);
	if (backend != &default_backend)
		ret = -EBUSY;
	else
		switch_backend(be);
	mutex_unlock(&kmemdump_lock);

	return ret;
}
EXPORT_SYMBOL_GPL(kmemdump_register_backend);

/**
 * kmemdump_unregister_backend() - stop being the backend
 * @be: as given to kmemdump_register_backend(); any other backend is ignored
 *
 * Before this returns, all regions are taken back. @be is not used afterwards.
 */
void kmemdump_unregister_backend(const struct kmemdump_backend *be)
{
	might_sleep();

	mutex_lock(&kmemdump_lock);
	if (be && be == backend && be != &default_backend)
		switch_backend(&default_backend);
	mutex_unlock(&kmemdump_lock);
}
EXPORT_SYMBOL_GPL(kmemdump_unregister_backend);

#ifndef MODULE
static char missing_names[256] __initdata;

static unsigned int __init list_missing(void)
{
	size_t used = 0;
	unsigned int uid, missing = 0;

	for (uid = KMEMDUMP_ID_COREIMAGE_VMCOREINFO; uid < KMEMDUMP_ID_USER_START;
	     uid++)
		if (!regions[uid].zone)
			used += scnprintf(missing_names + used,
					  sizeof(missing_names) - used, "%s%s",
					  missing++ ? " " : ": ",
					  kmemdump_uid_name(uid));
	return missing;
}

/* The annotated variables. An allocation with the same number has priority. */
static void __init register_entries(bool vital)
{
	const struct kmemdump_zone *entry;

	for_each_kmemdump_entry(entry) {
		int ret;

		if (kmemdump_is_vital(entry->id) != vital)
			continue;
		ret = register_region(entry->id, entry->name, entry->zone,
				      entry->size);
		if (ret < 0 && ret != -EALREADY)
			pr_warn("cannot register %s: %d\n", entry->name, ret);
	}
}

/* Runs before any driver can become the backend, which takes the log first. */
static int __init register_log(void)
{
	register_entries(true);
	return 0;
}
subsys_initcall(register_log);

static void __init register_areas(void)
{
	unsigned int uid, count = 0;
	unsigned int missing;

	register_entries(false);
	for (uid = KMEMDUMP_ID_COREIMAGE_VMCOREINFO; uid < KMEMDUMP_ID_MAX; uid++)
		count += !!regions[uid].zone;
	missing = list_missing();
	pr_info("%u areas registered, %u not available%s\n", count, missing,
		missing_names);
}
#else
/* A module has no backend yet: the order is that of the later hand-over. */
static void __init register_areas(void)
{
	kmemdump_areas_register();
}
#endif

/*
 * First registers the header, then the regions that are known at compile time.
 * After that the header describes these and all regions that were registered
 * before, in ascending order of the numbers.
 */
static int __init kmemdump_init(void)
{
	int ret;

	if (kmemdump_symbols_init())
		pr_warn("expected to find kallsyms_lookup_name, did not\n");

	ret = kmemdump_coreimage_init();
	if (ret)
		pr_err("core image has no ELF header, expected memory and a region for it: %d\n",
		       ret);
	register_areas();

	mutex_lock(&kmemdump_lock);
	if (!regions[KMEMDUMP_ID_COREIMAGE_VMCOREINFO].zone)
		pr_err("core image has no vmcoreinfo, expected the kernel to have one\n");
	find_phys_of_early_regions();
	described = true;
	describe_regions();
	mutex_unlock(&kmemdump_lock);
	kmemdump_layout_register();
	kmemdump_profile_init();
	return 0;
}
late_initcall(kmemdump_init);

static void __exit kmemdump_exit(void)
{
	unsigned int uid;

	for (uid = KMEMDUMP_ID_START + 1; uid < KMEMDUMP_ID_MAX; uid++)
		if (is_region(uid))
			kmemdump_unregister(uid);
	kmemdump_profile_exit();
	kmemdump_coreimage_exit();
}
module_exit(kmemdump_exit);

MODULE_DESCRIPTION("Table of kernel memory regions to save when the machine dies");
MODULE_LICENSE("GPL");
