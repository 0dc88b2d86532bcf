/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between architectures. A build has one kmemdump_arch_NAME.c:
 * that of the architecture, or kmemdump_arch_generic.c.
 */
#ifndef _KMEMDUMP_ARCH_H
#define _KMEMDUMP_ARCH_H

#include <linux/types.h>

/**
 * kmemdump_arch_walk() - is there RAM at an address outside the linear map?
 * @addr: a kernel virtual address without a tag
 * @phys: its physical address
 *
 * For a panic: takes no lock, does not fault whatever the page tables contain,
 * and tells RAM from devices.
 */
bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys);

/*
 * Variables that readers need and that only this architecture has. Ends with
 * NULL.
 */
extern const char *const kmemdump_arch_variables[];

#define KMEMDUMP_ARCH_VARIABLES_MAX 8

/*
 * Name of a per-CPU variable that points to the CPU's interrupt stack, of
 * THREAD_SIZE bytes. NULL if there is none.
 */
extern const char *const kmemdump_arch_irq_stack;

/* A line of kmd_layout: its key, such as "OFFSET(structure.member)". */
struct kmemdump_number {
	const char *name;
	unsigned long value;
};

/*
 * Where the registers of a task that sleeps are. Ends with an entry without a
 * name.
 */
extern const struct kmemdump_number kmemdump_arch_numbers[];

#endif /* _KMEMDUMP_ARCH_H */
