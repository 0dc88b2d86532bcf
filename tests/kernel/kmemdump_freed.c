// SPDX-License-Identifier: GPL-2.0
/*
 * Registers memory, frees some of it without a word, and panics: what is not
 * there any more has to be told apart from what is.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "kmemdump.h"

static u8 data[64] = "module data";

static void *filled(void *zone, size_t size)
{
	return zone ? memset(zone, 0x6b, size) : NULL;
}

static void expect_registered(const char *name, void *zone, size_t size)
{
	int uid = zone ? kmemdump_register_named(name, zone, size) : -ENOMEM;

	if (uid < 0)
		pr_err("freed: %s not registered: %d\n", name, uid);
}

static int __init freed_init(void)
{
	void *kept_page = filled((void *)__get_free_page(GFP_KERNEL), PAGE_SIZE);
	void *kept_object = filled(kmalloc(200, GFP_KERNEL), 200);
	void *kept_large = filled(kmalloc(65536, GFP_KERNEL), 65536);
	void *kept_pages = filled(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL),
				  3 * PAGE_SIZE);
	void *kept_vmalloc = filled(vmalloc(PAGE_SIZE), PAGE_SIZE);
	void *freed_page = filled((void *)__get_free_page(GFP_KERNEL), PAGE_SIZE);
	void *freed_pages = filled(alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL),
				   3 * PAGE_SIZE);
	void *freed_large = filled(kmalloc(4 << 20, GFP_KERNEL), 4 << 20);
	void *freed_vmalloc = filled(vmalloc(PAGE_SIZE), PAGE_SIZE);

	expect_registered("kept page", kept_page, PAGE_SIZE);
	expect_registered("kept object", kept_object, 200);
	expect_registered("kept large", kept_large, 65536);
	expect_registered("kept pages", kept_pages, 3 * PAGE_SIZE);
	expect_registered("kept vmalloc", kept_vmalloc, PAGE_SIZE);
	expect_registered("kept data", data, sizeof(data));
	expect_registered("freed page", freed_page, PAGE_SIZE);
	expect_registered("freed pages", freed_pages, 3 * PAGE_SIZE);
	expect_registered("freed large", freed_large, 4 << 20);
	expect_registered("freed vmalloc", freed_vmalloc, PAGE_SIZE);

	local_irq_disable();
	free_page((unsigned long)freed_page);
	free_pages_exact(freed_pages, 3 * PAGE_SIZE);
	kfree(freed_large);
	local_irq_enable();
	vfree(freed_vmalloc);
	panic("freed: memory is gone");
}
module_init(freed_init);

MODULE_DESCRIPTION("Test of regions whose memory is not theirs any more");
MODULE_LICENSE("GPL");
