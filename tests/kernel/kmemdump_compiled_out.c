// SPDX-License-Identifier: GPL-2.0
/*
 * What is left of kmemdump.h in a kernel that knows CONFIG_KMEMDUMP and has it
 * off. That it compiles without a warning is half of the test.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

/* Whatever this kernel has. */
#undef CONFIG_KMEMDUMP
#undef CONFIG_HAVE_KMEMDUMP
#define CONFIG_HAVE_KMEMDUMP 1

#include "kmemdump.h"
#include "ktap.h"

static int annotated = 1;
static char named[8];

/* In a module these do not even compile where kmemdump is on. */
KMEMDUMP_VAR_ID(KMEMDUMP_ID_NO_ID, annotated, sizeof(annotated));
KMEMDUMP_VAR_CORE(nr_threads, sizeof(nr_threads));
KMEMDUMP_VAR_CORE_NAMED(nr_irqs, named, sizeof(named));

static void registering_does_nothing_and_succeeds(void)
{
	EXPECT_EQ(kmemdump_register(named, sizeof(named)), 0);
	EXPECT_EQ(kmemdump_register_id(KMEMDUMP_ID_USER_START, named, 8), 0);
	EXPECT_EQ(kmemdump_register_named("named", named, 8), 0);
	EXPECT_EQ(kmemdump_register_fmt(named, 8, "name %d", annotated), 0);
	EXPECT_EQ(kmemdump_find_uid(named) < 0, true);
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
	kmemdump_forget(named);
}

static void *allocate(size_t size)
{
	return kzalloc(size, GFP_KERNEL);
}

static phys_addr_t allocate_phys(size_t size)
{
	return virt_to_phys(kzalloc(size, GFP_KERNEL));
}

static void allocations_are_made_and_freed(void)
{
	phys_addr_t phys;
	char *zone;

	zone = kmemdump_alloc_size(8, allocate, 8);
	EXPECT_EQ(zone && !*zone, true);
	kmemdump_free(zone, kfree, zone);

	zone = kmemdump_alloc_id_size(KMEMDUMP_ID_USER_START, 8, allocate, 8);
	EXPECT_EQ(zone && !*zone, true);
	kmemdump_free_id(KMEMDUMP_ID_USER_START, kfree, zone);

	zone = kmemdump_alloc_id_size_replace(KMEMDUMP_ID_USER_START, 8,
					      allocate, 8);
	EXPECT_EQ(zone && !*zone, true);
	kmemdump_free_id(KMEMDUMP_ID_USER_START, kfree, zone);

	phys = kmemdump_phys_alloc_size(8, allocate_phys, 8);
	EXPECT_EQ(phys != 0, true);
	kmemdump_free(__va(phys), kfree, __va(phys));

	phys = kmemdump_phys_alloc_id_size(KMEMDUMP_ID_USER_START, 8,
					   allocate_phys, 8);
	EXPECT_EQ(phys != 0, true);
	kmemdump_free_id(KMEMDUMP_ID_USER_START, kfree, __va(phys));
}

static int __init compiled_out_init(void)
{
	ktap_plan(2);
	ktap_run(registering_does_nothing_and_succeeds,
		 "registering_does_nothing_and_succeeds");
	ktap_run(allocations_are_made_and_freed,
		 "allocations_are_made_and_freed");
	return 0;
}
module_init(compiled_out_init);

static void __exit compiled_out_exit(void)
{
}
module_exit(compiled_out_exit);

MODULE_DESCRIPTION("Test of kmemdump.h where kmemdump is compiled out");
MODULE_LICENSE("GPL");
