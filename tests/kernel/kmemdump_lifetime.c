// SPDX-License-Identifier: GPL-2.0
/*
 * When regions come and go: what the callers of kmemdump are told, and what
 * the controller's table says at each step. The guest's init loads this after
 * kmemdump.ko and kmemdump_md.ko, with a controller that takes a limited
 * number of regions (its property max-regions).
 */
#include <linux/bottom_half.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <kmemdump_md_regs.h>

#include "kmemdump.h"
#include "ktap.h"

#define LOOPS 1000

static struct platform_device *controller;
static void __iomem *window;
static u8 module_data[256];
static int module_uid;
static u32 regions_before_module_data;

static u32 region_count(void)
{
	return readl(window + KMD_REGION_COUNT);
}

/* Whether the device would read this address at a crash. */
static bool device_has(void *zone)
{
	u32 i, slots = readl(window + KMD_SLOT_COUNT);

	for (i = 0; i < slots; i++) {
		void __iomem *slot = window + KMD_SLOT_OFFSET_VALUE +
				     i * KMD_SLOT_STRIDE_VALUE;

		if (readl(slot + KMD_SLOT_COMMIT) &&
		    readq(slot + KMD_SLOT_VIRT) ==
			    (unsigned long)kasan_reset_tag(zone))
			return true;
	}
	return false;
}

/* Slots of the driver's own, which are no regions of kmemdump's. */
static u32 list_count(void)
{
	u32 i, lists = 0, slots = readl(window + KMD_SLOT_COUNT);

	for (i = 0; i < slots; i++) {
		void __iomem *slot = window + KMD_SLOT_OFFSET_VALUE +
				     i * KMD_SLOT_STRIDE_VALUE;

		if (readl(slot + KMD_SLOT_COMMIT) &&
		    (readl(slot + KMD_SLOT_FLAGS) & KMD_FLAGS_KIND) == KMD_KIND_LIST)
			lists++;
	}
	return lists;
}

static void region_is_gone_before_its_memory_is_freed(void)
{
	u32 before = region_count();
	void *zone = kmalloc(64, GFP_KERNEL);
	int uid = kmemdump_register(zone, 64);

	EXPECT_EQ(uid >= KMEMDUMP_ID_DYNAMIC, true);
	EXPECT_EQ(region_count(), before + 1);
	EXPECT_EQ(device_has(zone), true);

	kmemdump_unregister(uid);
	EXPECT_EQ(device_has(zone), false);
	EXPECT_EQ(region_count(), before);
	kfree(zone);
}

static void taken_number_is_refused(void)
{
	static u8 first[8], second[8];
	u32 before = region_count();

	EXPECT_EQ(kmemdump_register_id(KMEMDUMP_ID_USER_START, first, 8),
		  KMEMDUMP_ID_USER_START);
	EXPECT_EQ(kmemdump_register_id(KMEMDUMP_ID_USER_START, second, 8),
		  -EALREADY);
	EXPECT_EQ(kmemdump_register_id(KMEMDUMP_ID_USER_START, first, 8),
		  -EALREADY);
	EXPECT_EQ(device_has(first), true);
	EXPECT_EQ(device_has(second), false);
	EXPECT_EQ(region_count(), before + 1);
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
	EXPECT_EQ(region_count(), before);
}

static void atomic_context_is_refused(void)
{
	u32 before = region_count();
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = kmemdump_register(module_data, 8);
	local_irq_restore(flags);
	EXPECT_EQ(ret, -EWOULDBLOCK);

	local_bh_disable();
	ret = kmemdump_register(module_data, 8);
	local_bh_enable();
	EXPECT_EQ(ret, -EWOULDBLOCK);

	EXPECT_EQ(region_count(), before);
}

static void unregistering_nothing_changes_nothing(void)
{
	u32 before = region_count();

	kmemdump_unregister(KMEMDUMP_ID_USER_END);
	kmemdump_unregister(KMEMDUMP_ID_MAX - 1);
	EXPECT_EQ(region_count(), before);
}

static void numbers_out_of_range_are_refused(void)
{
	static const unsigned int wrong[] = {
		KMEMDUMP_ID_START, KMEMDUMP_ID_MAX, KMEMDUMP_ID_MAX + 1,
		INT_MAX, UINT_MAX,
	};
	u32 before = region_count();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(kmemdump_register_id(wrong[i], module_data, 8),
			  -EINVAL);
		kmemdump_unregister(wrong[i]);
	}
	kmemdump_unregister(KMEMDUMP_ID_NO_ID);
	EXPECT_EQ(region_count(), before);
}

static void memory_that_is_none_is_refused(void)
{
	u32 before = region_count();

	EXPECT_EQ(kmemdump_register(NULL, 8), -EINVAL);
	EXPECT_EQ(kmemdump_register(module_data, 0), -EINVAL);
	EXPECT_EQ(kmemdump_register((void *)ULONG_MAX, 8), -EINVAL);
	EXPECT_EQ(kmemdump_register(module_data, SIZE_MAX), -EINVAL);
	EXPECT_EQ(region_count(), before);
}

/* The device refuses first: it takes fewer regions than kmemdump has numbers. */
static void refused_region_leaves_nothing_behind(void)
{
	static int uids[KMEMDUMP_ID_MAX];
	u32 before = region_count(), full;
	u8 *zone = kmalloc(KMEMDUMP_ID_MAX, GFP_KERNEL);
	int n = 0, uid;

	while (n < KMEMDUMP_ID_MAX) {
		uid = kmemdump_register(zone + n, 1);
		if (uid < 0)
			break;
		uids[n++] = uid;
	}
	full = region_count();
	EXPECT_EQ(n > 1, true);
	EXPECT_EQ(uid, -ENOSPC);
	/* However often it is tried, it is one region that is not saved. */
	EXPECT_EQ(kmemdump_register(zone + n, 1), -ENOSPC);
	EXPECT_EQ(readl(window + KMD_NOT_REGISTERED), 1);
	EXPECT_EQ(full, before + n);
	EXPECT_EQ(device_has(zone + n), false);

	/* Its number is free again, and goes to who comes next. */
	kmemdump_unregister(uids[0]);
	uid = kmemdump_register(zone, 1);
	EXPECT_EQ(uid, uids[0]);
	EXPECT_EQ(region_count(), full);
	kmemdump_unregister(uid);
	uid = kmemdump_register(zone + n, 1);
	EXPECT_EQ(readl(window + KMD_NOT_REGISTERED), 0);

	while (n)
		kmemdump_unregister(uids[--n]);
	EXPECT_EQ(region_count(), before);
	kfree(zone);
}

static unsigned int given, taken_back, last_given;
static bool in_order;

/* Without these there is no log. */
static bool is_of_the_log(enum kmemdump_uid uid)
{
	return uid == KMEMDUMP_ID_COREIMAGE_VMCOREINFO ||
	       (uid >= KMEMDUMP_ID_COREIMAGE_printk_rb_static &&
		uid <= KMEMDUMP_ID_COREIMAGE_prb_data);
}

static int count_register(const struct kmemdump_backend *be,
			  enum kmemdump_uid uid, void *vaddr, size_t size)
{
	/* The log first, then the others; each in ascending order. */
	if (is_of_the_log(last_given) == is_of_the_log(uid) || !last_given)
		in_order = in_order && uid > last_given;
	else
		in_order = in_order && is_of_the_log(last_given);
	last_given = uid;
	given++;
	return 0;
}

static int count_unregister(const struct kmemdump_backend *be,
			    enum kmemdump_uid uid)
{
	taken_back++;
	return 0;
}

static const struct kmemdump_backend counting = {
	.name = "counting",
	.register_region = count_register,
	.unregister_region = count_unregister,
};

static void live_regions_follow_the_backend(void)
{
	u32 before = region_count(), regions = before - list_count();
	struct device *dev = &controller->dev;

	/* One at a time: the driver of the controller is there. */
	EXPECT_EQ(kmemdump_register_backend(&counting), -EBUSY);
	EXPECT_EQ(region_count(), before);

	device_release_driver(dev);
	EXPECT_EQ(region_count(), 0);

	given = 0;
	taken_back = 0;
	last_given = 0;
	in_order = true;
	EXPECT_EQ(kmemdump_register_backend(&counting), 0);
	EXPECT_EQ(given, regions);
	EXPECT_EQ(in_order, true);

	/* Taken from the one who had them, once each. */
	kmemdump_unregister_backend(&counting);
	EXPECT_EQ(taken_back, regions);
	kmemdump_unregister_backend(&counting);
	EXPECT_EQ(taken_back, regions);

	EXPECT_EQ(device_attach(dev), 1);
	EXPECT_EQ(region_count(), before);
}

static void backend_without_a_callback_is_refused(void)
{
	static const struct kmemdump_backend half = {
		.name = "half", .register_region = count_register,
	};

	EXPECT_EQ(kmemdump_register_backend(NULL), -EINVAL);
	EXPECT_EQ(kmemdump_register_backend(&half), -EINVAL);
}

static void loops_leave_the_table_as_it_was(void)
{
	u32 before = region_count();
	u32 errors = readl(window + KMD_GUEST_ERRORS);
	unsigned int i;

	for (i = 0; i < LOOPS; i++) {
		int uid = kmemdump_register(module_data, sizeof(module_data));

		if (uid < 0) {
			EXPECT_EQ(uid, 0);
			break;
		}
		kmemdump_unregister(uid);
	}
	EXPECT_EQ(region_count(), before);
	EXPECT_EQ(readl(window + KMD_GUEST_ERRORS), errors);
}

static void module_memory_can_be_registered(void)
{
	regions_before_module_data = region_count();
	module_uid = kmemdump_register(module_data, sizeof(module_data));
	EXPECT_EQ(module_uid >= KMEMDUMP_ID_DYNAMIC, true);
	EXPECT_EQ(device_has(module_data), true);
}

static void module_memory_is_gone_when_the_module_is(void)
{
	kmemdump_unregister(module_uid);
	EXPECT_EQ(device_has(module_data), false);
	EXPECT_EQ(region_count(), regions_before_module_data);
}

static int __init lifetime_init(void)
{
	struct device_node *node =
		of_find_compatible_node(NULL, NULL, KMD_DT_COMPATIBLE);

	if (!node)
		return -ENODEV;
	controller = of_find_device_by_node(node);
	window = of_iomap(node, 0);
	of_node_put(node);
	if (!controller || !window)
		return -ENODEV;

	ktap_plan(12);
	ktap_run(region_is_gone_before_its_memory_is_freed,
		 "region_is_gone_before_its_memory_is_freed");
	ktap_run(taken_number_is_refused, "taken_number_is_refused");
	ktap_run(atomic_context_is_refused, "atomic_context_is_refused");
	ktap_run(unregistering_nothing_changes_nothing,
		 "unregistering_nothing_changes_nothing");
	ktap_run(numbers_out_of_range_are_refused,
		 "numbers_out_of_range_are_refused");
	ktap_run(memory_that_is_none_is_refused,
		 "memory_that_is_none_is_refused");
	ktap_run(refused_region_leaves_nothing_behind,
		 "refused_region_leaves_nothing_behind");
	ktap_run(live_regions_follow_the_backend,
		 "live_regions_follow_the_backend");
	ktap_run(backend_without_a_callback_is_refused,
		 "backend_without_a_callback_is_refused");
	ktap_run(loops_leave_the_table_as_it_was,
		 "loops_leave_the_table_as_it_was");
	ktap_run(module_memory_can_be_registered,
		 "module_memory_can_be_registered");
	return 0;
}
module_init(lifetime_init);

static void __exit lifetime_exit(void)
{
	ktap_run(module_memory_is_gone_when_the_module_is,
		 "module_memory_is_gone_when_the_module_is");
	put_device(&controller->dev);
	iounmap(window);
}
module_exit(lifetime_exit);

MODULE_DESCRIPTION("Test of when kmemdump regions come and go");
MODULE_LICENSE("GPL");
