// SPDX-License-Identifier: GPL-2.0
/*
 * Behaves towards a backend as RFC v2 of the kmemdump series does: numbers are
 * indices, the backend hears of a region before the table does, and a new
 * backend silently takes over from the old one and is told of every region in
 * ascending order. It has a few regions to hand over, and changes them when 1
 * is written to its parameter "step".
 */
#define pr_fmt(fmt) "kmemdump_rfc_v2: " fmt

#include <linux/errno.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/kmemdump.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "kmemdump_compat.h"
#include "pattern.h"

#define MAX_ZONES 201

static int take(const struct kmemdump_backend *be, enum kmemdump_uid uid,
		void *vaddr, size_t size)
{
	return 0;
}

static int let_go(const struct kmemdump_backend *be, enum kmemdump_uid uid)
{
	return 0;
}

static const struct kmemdump_backend default_backend = {
	.name = "default",
	.register_region = take,
	.unregister_region = let_go,
};

static DEFINE_MUTEX(lock);
static const struct kmemdump_backend *backend = &default_backend;
static struct {
	void *zone;
	size_t size;
} zones[MAX_ZONES];

int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size)
{
	int ret;

	if (uid >= MAX_ZONES)
		return -ENOSPC;

	mutex_lock(&lock);
	if (uid == KMEMDUMP_ID_NO_ID) {
		while (uid < MAX_ZONES && zones[uid].zone)
			uid++;
		ret = uid < MAX_ZONES ? 0 : -ENOSPC;
	} else {
		ret = zones[uid].zone ? -EALREADY : 0;
	}
	if (!ret)
		ret = backend->register_region(backend, uid, zone, size);
	if (!ret) {
		zones[uid].zone = zone;
		zones[uid].size = size;
		ret = uid;
	}
	mutex_unlock(&lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kmemdump_register_id);

void kmemdump_unregister(enum kmemdump_uid uid)
{
	mutex_lock(&lock);
	if (zones[uid].zone) {
		backend->unregister_region(backend, uid);
		zones[uid].zone = NULL;
	}
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(kmemdump_unregister);

static void replace_backend(const struct kmemdump_backend *be)
{
	unsigned int uid;

	for (uid = 0; uid < MAX_ZONES; uid++)
		if (zones[uid].zone)
			backend->unregister_region(backend, uid);
	backend = be;
	for (uid = 0; uid < MAX_ZONES; uid++)
		if (zones[uid].zone)
			be->register_region(be, uid, zones[uid].zone,
					    zones[uid].size);
}

int kmemdump_register_backend(const struct kmemdump_backend *be)
{
	if (!be || !be->register_region || !be->unregister_region)
		return -EINVAL;
	mutex_lock(&lock);
	replace_backend(be);
	mutex_unlock(&lock);
	return 0;
}
EXPORT_SYMBOL_GPL(kmemdump_register_backend);

void kmemdump_unregister_backend(const struct kmemdump_backend *be)
{
	mutex_lock(&lock);
	if (be == backend)
		replace_backend(&default_backend);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(kmemdump_unregister_backend);

/* One region in the linear map, one in the module's own memory. */
static u8 *allocated;
static u8 own[PAGE_SIZE] __aligned(PAGE_SIZE);
static u8 late[100];

static int set_step(const char *value, const struct kernel_param *param)
{
	fill_pattern(late, sizeof(late), 3);
	kmemdump_unregister(KMEMDUMP_ID_COREIMAGE_init_uts_ns);
	if (kmemdump_register_id(KMEMDUMP_ID_NO_ID, late, sizeof(late)) < 0)
		return -EIO;
	pr_info("step done\n");
	return 0;
}

static const struct kernel_param_ops step_ops = { .set = set_step };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "Take one region back and register another");

static int __init rfc_v2_init(void)
{
	/* Behind the header of the note and its name, both of 12 bytes. */
	void *vmcoreinfo = phys_to_virt(paddr_vmcoreinfo_note()) + 24;

	allocated = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	if (!allocated)
		return -ENOMEM;
	fill_pattern(allocated, 3 * PAGE_SIZE, 1);
	fill_pattern(own, sizeof(own), 2);

	kmemdump_register_id(KMEMDUMP_ID_COREIMAGE_VMCOREINFO, vmcoreinfo,
			     strlen(vmcoreinfo));
	kmemdump_register_id(KMEMDUMP_ID_COREIMAGE_jiffies_64,
			     (void *)&jiffies_64, sizeof(jiffies_64));
	kmemdump_register_id(KMEMDUMP_ID_COREIMAGE_init_uts_ns, &init_uts_ns,
			     sizeof(init_uts_ns));
	kmemdump_register_id(KMEMDUMP_ID_USER_START, allocated, 3 * PAGE_SIZE);
	kmemdump_register_id(KMEMDUMP_ID_NO_ID, own, sizeof(own));
	return 0;
}
module_init(rfc_v2_init);

static void __exit rfc_v2_exit(void)
{
	kfree(allocated);
}
module_exit(rfc_v2_exit);

MODULE_DESCRIPTION("Stands in for RFC v2 of the kmemdump series in tests");
MODULE_LICENSE("GPL");
