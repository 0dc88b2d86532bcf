// SPDX-License-Identifier: GPL-2.0
/*
 * The table of regions and the one backend that has them.
 *
 * There always is a backend: the default one takes everything and saves
 * nothing, so regions can be registered before any driver is there and are
 * handed over when one comes.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/errno.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "kmemdump_internal.h"

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

/* Guards everything below, and the header of the core image. */
static DEFINE_MUTEX(kmemdump_lock);
static const struct kmemdump_backend *backend = &default_backend;
static struct kmemdump_zone zones[KMEMDUMP_ID_MAX];

/*
 * Short enough for a slot of a controller, and the file names that tools for
 * such controllers know.
 */
static const char * const uid_names[KMEMDUMP_ID_NO_ID] = {
	[KMEMDUMP_ID_COREIMAGE_ELF] = "ELF",
	[KMEMDUMP_ID_COREIMAGE_VMCOREINFO] = "vmcoreinfo",
	[KMEMDUMP_ID_COREIMAGE_CONFIG] = "config",
	[KMEMDUMP_ID_COREIMAGE_MEMSECT] = "memsect",
	[KMEMDUMP_ID_COREIMAGE__totalram_pages] = "totalram",
	[KMEMDUMP_ID_COREIMAGE___cpu_possible_mask] = "cpu_possible",
	[KMEMDUMP_ID_COREIMAGE___cpu_present_mask] = "cpu_present",
	[KMEMDUMP_ID_COREIMAGE___cpu_online_mask] = "cpu_online",
	[KMEMDUMP_ID_COREIMAGE___cpu_active_mask] = "cpu_active",
	[KMEMDUMP_ID_COREIMAGE_jiffies_64] = "jiffies",
	[KMEMDUMP_ID_COREIMAGE_linux_banner] = "linux_banner",
	[KMEMDUMP_ID_COREIMAGE_nr_threads] = "nr_threads",
	[KMEMDUMP_ID_COREIMAGE_nr_irqs] = "nr_irqs",
	[KMEMDUMP_ID_COREIMAGE_tainted_mask] = "tainted_mask",
	[KMEMDUMP_ID_COREIMAGE_taint_flags] = "taint_flags",
	[KMEMDUMP_ID_COREIMAGE_mem_section] = "mem_section",
	[KMEMDUMP_ID_COREIMAGE_node_data] = "node_data",
	[KMEMDUMP_ID_COREIMAGE_node_states] = "node_states",
	[KMEMDUMP_ID_COREIMAGE___per_cpu_offset] = "__per_cpu_offset",
	[KMEMDUMP_ID_COREIMAGE_nr_swapfiles] = "nr_swapfiles",
	[KMEMDUMP_ID_COREIMAGE_init_uts_ns] = "init_uts_ns",
	[KMEMDUMP_ID_COREIMAGE_printk_rb_static] = "printk_rb_static",
	[KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic] = "printk_rb_dyn",
	[KMEMDUMP_ID_COREIMAGE_prb] = "prb",
	[KMEMDUMP_ID_COREIMAGE_prb_descs] = "prb_descs",
	[KMEMDUMP_ID_COREIMAGE_prb_infos] = "prb_infos",
	[KMEMDUMP_ID_COREIMAGE_prb_data] = "prb_data",
	[KMEMDUMP_ID_COREIMAGE_runqueues] = "runqueues",
	[KMEMDUMP_ID_COREIMAGE_high_memory] = "high_memory",
	[KMEMDUMP_ID_COREIMAGE_init_mm] = "init_mm",
	[KMEMDUMP_ID_COREIMAGE_init_mm_pgd] = "init_mm_pgd",
	[KMEMDUMP_ID_USER_START] = "user_start",
	[KMEMDUMP_ID_USER_END] = "user_end",
};

static bool is_region(enum kmemdump_uid uid)
{
	return uid > KMEMDUMP_ID_START && uid < KMEMDUMP_ID_MAX &&
	       uid != KMEMDUMP_ID_NO_ID;
}

/**
 * kmemdump_uid_name() - what to call a region
 * @uid: its number
 *
 * Return: a name of at most 16 characters, never NULL. That of a region
 * without a number of its own is valid until it is unregistered; a backend may
 * use it during its callbacks.
 */
const char *kmemdump_uid_name(enum kmemdump_uid uid)
{
	if (!is_region(uid))
		return "invalid";
	if (uid < KMEMDUMP_ID_NO_ID)
		return uid_names[uid];
	return zones[uid].name[0] ? zones[uid].name : "unnamed";
}
EXPORT_SYMBOL_GPL(kmemdump_uid_name);

/* Returns KMEMDUMP_ID_MAX when all are taken. */
static unsigned int find_dynamic_uid(void)
{
	unsigned int uid;

	for (uid = KMEMDUMP_ID_DYNAMIC; uid < KMEMDUMP_ID_MAX; uid++)
		if (!zones[uid].zone)
			break;
	return uid;
}

static int register_zone(enum kmemdump_uid uid, const char *name, void *zone,
			 size_t size)
{
	struct kmemdump_zone *z;
	phys_addr_t phys;
	int ret;

	if (preempt_count() || irqs_disabled())
		return -EWOULDBLOCK;

	if (uid != KMEMDUMP_ID_NO_ID && !is_region(uid))
		return -EINVAL;

	ret = kmemdump_virt_to_phys(zone, size, &phys);
	if (ret)
		return ret;

	mutex_lock(&kmemdump_lock);

	if (uid == KMEMDUMP_ID_NO_ID) {
		uid = find_dynamic_uid();
		if (uid == KMEMDUMP_ID_MAX) {
			ret = -ENOSPC;
			goto unlock;
		}
	} else if (zones[uid].zone) {
		ret = -EALREADY;
		goto unlock;
	}

	z = &zones[uid];
	z->zone = zone;
	z->phys = phys;
	z->size = size;
	strscpy(z->name, name, sizeof(z->name));

	kmemdump_coreimage_invalidate();
	ret = backend->register_region(backend, uid, zone, size);
	if (ret < 0) {
		memset(z, 0, sizeof(*z));
	} else {
		z->accepted = true;
		ret = uid;
	}
	kmemdump_coreimage_rebuild(zones);

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
 * Process context only. With the default backend every valid region is stored
 * and handed to a real one later.
 *
 * Return: the number, which is positive, or
 * * -EINVAL: no such number; no address, no size, the end wraps around, or the
 *   memory is not mapped or not physically contiguous
 * * -EALREADY: the number is taken
 * * -ENOSPC: all numbers of KMEMDUMP_ID_NO_ID are taken
 * * -EWOULDBLOCK: the caller must not sleep
 * * another errno: the backend's reason to refuse; nothing is registered
 */
int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size)
{
	return register_zone(uid, "", zone, size);
}
EXPORT_SYMBOL_GPL(kmemdump_register_id);

/**
 * kmemdump_register_named() - register a region under any free number
 * @name: what to call it, cut off after 16 characters
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 *
 * Return: as kmemdump_register_id().
 */
int kmemdump_register_named(const char *name, void *zone, size_t size)
{
	return register_zone(KMEMDUMP_ID_NO_ID, name, zone, size);
}
EXPORT_SYMBOL_GPL(kmemdump_register_named);

static void take_from_backend(enum kmemdump_uid uid)
{
	int ret;

	if (!zones[uid].accepted)
		return;

	ret = backend->unregister_region(backend, uid);
	if (ret < 0)
		pr_warn("backend %s did not let go of region %s (uid %d): %d\n",
			backend->name, kmemdump_uid_name(uid), uid, ret);
	zones[uid].accepted = false;
}

/**
 * kmemdump_unregister() - forget a region
 * @uid: what its registration returned
 *
 * Process context only. When this returns the memory may be freed. A number
 * that is not registered is fine.
 */
void kmemdump_unregister(enum kmemdump_uid uid)
{
	might_sleep();

	if (!is_region(uid)) {
		pr_warn("unregister: uid %d is no region, expected 1 to %d\n",
			(int)uid, KMEMDUMP_ID_MAX - 1);
		return;
	}

	mutex_lock(&kmemdump_lock);
	if (zones[uid].zone) {
		kmemdump_coreimage_invalidate();
		take_from_backend(uid);
		memset(&zones[uid], 0, sizeof(zones[uid]));
		kmemdump_coreimage_rebuild(zones);
	}
	mutex_unlock(&kmemdump_lock);
}
EXPORT_SYMBOL_GPL(kmemdump_unregister);

/* In ascending order, because some backends keep the order they are told. */
static void switch_backend(const struct kmemdump_backend *be)
{
	unsigned int uid, total = 0, refused = 0;
	unsigned int first_uid = KMEMDUMP_ID_MAX;
	int first_error = 0;

	kmemdump_coreimage_invalidate();

	for (uid = 0; uid < KMEMDUMP_ID_MAX; uid++)
		if (zones[uid].zone)
			take_from_backend(uid);

	backend = be;

	for (uid = 0; uid < KMEMDUMP_ID_MAX; uid++) {
		struct kmemdump_zone *z = &zones[uid];
		int ret;

		if (!z->zone)
			continue;
		total++;
		ret = be->register_region(be, uid, z->zone, z->size);
		z->accepted = ret >= 0;
		if (!z->accepted && !refused++) {
			first_uid = uid;
			first_error = ret;
		}
	}

	kmemdump_coreimage_rebuild(zones);

	pr_info("backend %s: %u of %u regions\n", be->name, total - refused,
		total);
	if (refused)
		pr_warn("backend %s refused %u, first region %s (uid %u): %d\n",
			be->name, refused, kmemdump_uid_name(first_uid),
			first_uid, first_error);
}

/**
 * kmemdump_register_backend() - become the one who saves the regions
 * @be: must stay valid until kmemdump_unregister_backend()
 *
 * Every region registered so far is handed over before this returns, in
 * ascending order of the numbers. One that @be refuses stays registered, for
 * the next backend, but is not in the core image of this one.
 *
 * Return: 0, -EINVAL if @be or a callback is missing, -EBUSY if there is a
 * backend other than the default one.
 */
int kmemdump_register_backend(const struct kmemdump_backend *be)
{
	int ret = 0;

	might_sleep();

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
 * kmemdump_unregister_backend() - stop being the one who saves the regions
 * @be: as given to kmemdump_register_backend(); any other is ignored
 *
 * Every region is taken back, and @be not used any more, before this returns.
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

static int __init kmemdump_init(void)
{
	int ret = kmemdump_coreimage_init();

	if (ret)
		pr_warn("core image has no ELF header: %d\n", ret);
	kmemdump_areas_register();
	return 0;
}
late_initcall(kmemdump_init);

static void __exit kmemdump_exit(void)
{
	unsigned int uid;

	for (uid = KMEMDUMP_ID_START + 1; uid < KMEMDUMP_ID_MAX; uid++)
		if (is_region(uid))
			kmemdump_unregister(uid);
	kmemdump_coreimage_exit();
}
module_exit(kmemdump_exit);

MODULE_DESCRIPTION("Kernel memory regions worth saving, and who saves them");
MODULE_LICENSE("GPL");
