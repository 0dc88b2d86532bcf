// SPDX-License-Identifier: GPL-2.0
/*
 * A table that still has a region of a kernel that is gone, when the driver
 * comes: it asks for a dump of that before it clears it. And a table that the
 * driver has left itself, which needs none.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <kmemdump_md_regs.h>

#include "ktap.h"

static struct platform_device *controller;
static void __iomem *window;

static u32 dumps(void)
{
	return readl(window + KMD_DUMP_COUNT);
}

static void leave_a_region(void *zone, size_t size)
{
	void __iomem *slot = window + KMD_SLOT_OFFSET_VALUE;

	writeq(virt_to_phys(zone), slot + KMD_SLOT_PHYS);
	writeq((unsigned long)zone, slot + KMD_SLOT_VIRT);
	writeq(size, slot + KMD_SLOT_SIZE);
	writeq(0x7466656c, slot + KMD_SLOT_NAME);	/* "left" */
	writeq(0, slot + KMD_SLOT_NAME + 8);
	writeq(77, slot + KMD_SLOT_ID);
	writel(1, slot + KMD_SLOT_COMMIT);
	EXPECT_EQ(readl(slot + KMD_SLOT_STATUS), KMD_SLOT_OK);
}

static void table_of_a_driver_that_left_needs_no_dump(void)
{
	u32 before = dumps();

	device_release_driver(&controller->dev);
	EXPECT_EQ(device_attach(&controller->dev), 1);
	EXPECT_EQ(dumps(), before);
}

static void table_of_a_kernel_that_is_gone_is_dumped(void)
{
	u32 before = dumps(), regions = readl(window + KMD_REGION_COUNT);
	void *zone = kzalloc(4096, GFP_KERNEL);

	device_release_driver(&controller->dev);
	EXPECT_EQ(readl(window + KMD_REGION_COUNT), 0);
	leave_a_region(zone, 4096);

	EXPECT_EQ(device_attach(&controller->dev), 1);
	EXPECT_EQ(dumps(), before + 1);
	EXPECT_EQ(readl(window + KMD_LAST_REASON), KMD_REASON_ABANDONED);
	/* Its own regions and no other. */
	EXPECT_EQ(readl(window + KMD_REGION_COUNT), regions);
	EXPECT_EQ(readl(window + KMD_GUEST_ERRORS), 0);
	kfree(zone);
}

static void numbers_are_those_of_kmemdump(void)
{
	EXPECT_EQ(readl(window + KMD_ID_SERIES), KMD_SERIES_KMEMDUMP);
	EXPECT_EQ(readl(window + KMD_NOT_REGISTERED), 0);
	EXPECT_EQ(readl(window + KMD_NOT_LISTED), 0);
}

static int __init abandoned_init(void)
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

	ktap_plan(3);
	ktap_run(table_of_a_driver_that_left_needs_no_dump,
		 "table_of_a_driver_that_left_needs_no_dump");
	ktap_run(table_of_a_kernel_that_is_gone_is_dumped,
		 "table_of_a_kernel_that_is_gone_is_dumped");
	ktap_run(numbers_are_those_of_kmemdump, "numbers_are_those_of_kmemdump");
	return 0;
}
module_init(abandoned_init);

static void __exit abandoned_exit(void)
{
	iounmap(window);
	put_device(&controller->dev);
}
module_exit(abandoned_exit);

MODULE_DESCRIPTION("Test of a table that a kernel has left behind");
MODULE_LICENSE("GPL");
