// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that the controller's driver must leave alone: a window over plain
 * memory that says of itself what a controller of another version, or
 * something else entirely, would say. The memory is past what the kernel was
 * told of (mem= on its command line), so it can be mapped like a device.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <kmemdump_md_regs.h>

#include "ktap.h"

#define SLOTS 64
#define WINDOW_SIZE (KMD_SLOT_OFFSET_VALUE + SLOTS * KMD_SLOT_STRIDE_VALUE)

static unsigned long phys;
module_param(phys, ulong, 0);
MODULE_PARM_DESC(phys, "Physical address of unused memory");

static void __iomem *window;

/* What a controller says, but for one register. */
static void describe(u32 offset, u32 value)
{
	memset_io(window, 0, WINDOW_SIZE);
	writel(KMD_MAGIC_VALUE, window + KMD_MAGIC);
	writel(KMD_VERSION_VALUE, window + KMD_VERSION);
	writel(SLOTS, window + KMD_SLOT_COUNT);
	writel(KMD_SLOT_STRIDE_VALUE, window + KMD_SLOT_STRIDE);
	writel(KMD_SLOT_OFFSET_VALUE, window + KMD_SLOT_OFFSET);
	writel(value, window + offset);
}

static bool driver_takes(resource_size_t size)
{
	struct resource window_resource = DEFINE_RES_MEM(phys, size);
	struct platform_device *pdev =
		platform_device_register_simple("kmemdump-md",
						PLATFORM_DEVID_NONE,
						&window_resource, 1);
	bool taken;

	if (IS_ERR(pdev)) {
		EXPECT_EQ(PTR_ERR(pdev), 0);
		return false;
	}
	taken = pdev->dev.driver;
	platform_device_unregister(pdev);
	return taken;
}

static void expect_left_alone(u32 offset, u32 value)
{
	describe(offset, value);
	EXPECT_EQ(driver_takes(WINDOW_SIZE), false);
	/* RESET_TABLE and DOORBELL of a device that is not ours. */
	EXPECT_EQ(readl(window + KMD_RESET_TABLE), 0);
	EXPECT_EQ(readl(window + KMD_DOORBELL), 0);
}

static void another_device(void)
{
	expect_left_alone(KMD_MAGIC, 0xffffffff);
}

static void another_major_version(void)
{
	expect_left_alone(KMD_VERSION, 2 << 16);
}

static void no_slots(void)
{
	expect_left_alone(KMD_SLOT_COUNT, 0);
}

static void more_slots_than_the_window_has(void)
{
	expect_left_alone(KMD_SLOT_COUNT, SLOTS + 1);
}

static void more_slots_than_there_can_be(void)
{
	expect_left_alone(KMD_SLOT_COUNT, 0xffffffff);
}

static void another_stride(void)
{
	expect_left_alone(KMD_SLOT_STRIDE, 32);
}

static void slots_outside_the_window(void)
{
	expect_left_alone(KMD_SLOT_OFFSET, 0xfffff000);
}

static void window_that_is_too_small(void)
{
	describe(KMD_MAGIC, KMD_MAGIC_VALUE);
	EXPECT_EQ(driver_takes(0x800), false);
}

/* It knows no reason that says who rang for whom, and no count. */
static void first_version_gets_what_it_knows(void)
{
	describe(KMD_VERSION, KMD_VERSION_MAJOR << 16);
	writel(5, window + KMD_REGION_COUNT);
	EXPECT_EQ(driver_takes(WINDOW_SIZE), true);
	EXPECT_EQ(readl(window + KMD_DOORBELL), KMD_REASON_REQUEST);
	EXPECT_EQ(readl(window + KMD_RESET_TABLE), 1);
	EXPECT_EQ(readl(window + KMD_ID_SERIES), 0);
	EXPECT_EQ(readl(window + KMD_NOT_REGISTERED), 0);
}

/* The proof that the others fail for the reason that they are about. */
static void newer_minor_version_is_taken(void)
{
	describe(KMD_VERSION, KMD_VERSION_VALUE + 1);
	EXPECT_EQ(driver_takes(WINDOW_SIZE), true);
	EXPECT_EQ(readl(window + KMD_RESET_TABLE), 1);
}

static int __init foreign_init(void)
{
	window = ioremap(phys, WINDOW_SIZE);
	if (!window)
		return -ENOMEM;

	ktap_plan(10);
	ktap_run(another_device, "another_device");
	ktap_run(another_major_version, "another_major_version");
	ktap_run(no_slots, "no_slots");
	ktap_run(more_slots_than_the_window_has,
		 "more_slots_than_the_window_has");
	ktap_run(more_slots_than_there_can_be, "more_slots_than_there_can_be");
	ktap_run(another_stride, "another_stride");
	ktap_run(slots_outside_the_window, "slots_outside_the_window");
	ktap_run(window_that_is_too_small, "window_that_is_too_small");
	ktap_run(first_version_gets_what_it_knows,
		 "first_version_gets_what_it_knows");
	ktap_run(newer_minor_version_is_taken, "newer_minor_version_is_taken");
	return 0;
}
module_init(foreign_init);

static void __exit foreign_exit(void)
{
	iounmap(window);
}
module_exit(foreign_exit);

MODULE_DESCRIPTION("Test of devices that the controller's driver leaves alone");
MODULE_LICENSE("GPL");
