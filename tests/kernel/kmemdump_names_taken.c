// SPDX-License-Identifier: GPL-2.0
/*
 * Has, and exports, what kmemdump looks for in the kernel: it is not what it
 * looks for, and need not stay. Not all kernels have variables of these names.
 */
#include <linux/export.h>
#include <linux/module.h>

char shadow_timekeeper[64];
EXPORT_SYMBOL_GPL(shadow_timekeeper);
char timekeeper_data[64];
EXPORT_SYMBOL_GPL(timekeeper_data);

static int __init names_taken_init(void)
{
	return 0;
}
module_init(names_taken_init);

static void __exit names_taken_exit(void)
{
}
module_exit(names_taken_exit);

MODULE_DESCRIPTION("Test of symbols that are not the kernel's own");
MODULE_LICENSE("GPL");
