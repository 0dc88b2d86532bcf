// SPDX-License-Identifier: GPL-2.0
/*
 * Any architecture that has no file of its own.
 *
 * No walk: the tables of a kernel that has just died may be corrupt, and not
 * every CPU can be asked for a translation without a fault. What lies outside
 * the linear map, such as stacks in vmalloc space, is counted as missing.
 */
#include <linux/stddef.h>

#include "kmemdump_arch.h"

const char *const kmemdump_arch_variables[] = { NULL };

const char *const kmemdump_arch_irq_stack;

bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys)
{
	return false;
}
