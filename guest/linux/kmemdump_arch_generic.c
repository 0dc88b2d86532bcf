// SPDX-License-Identifier: GPL-2.0
/*
 * For architectures that have no file of their own.
 *
 * There is no walk: the page tables of a kernel that has just died may be
 * corrupt, and not every CPU can translate an address without a fault. Memory
 * outside the linear map, such as stacks in vmalloc space, counts as unmapped.
 */
#include <linux/stddef.h>

#include "kmemdump_arch.h"

const char *const kmemdump_arch_variables[] = { NULL };

const char *const kmemdump_arch_irq_stack;

const struct kmemdump_number kmemdump_arch_numbers[] = { {} };

bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys)
{
	return false;
}
